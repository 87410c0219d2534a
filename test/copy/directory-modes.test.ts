/** Modes of directories in a copy that is not asked to keep them. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { copy } from '#xfer/copy/index.js';
import { openLocalSink, openLocalSource } from '#xfer/transports/local/index.js';

const LIMIT = { timeout: 30_000, skip: process.platform === 'win32' };
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const masked = (mode: number) => (mode & ~process.umask()).toString(8);

async function copied(root: string): Promise<void> {
  const { failures } = await copy([await openLocalSource(join(root, 'tree'))], await openLocalSink(join(root, 'to')), {
    recursive: true,
  });
  assert.deepEqual(failures, []);
}

/** A directory that its owner may not write to, with one in it that nobody else may look at. */
function tree(): string {
  const root = mkdtempSync(join(tmpdir(), 'xfer-modes-'));
  mkdirSync(join(root, 'tree', 'shut', 'own'), { recursive: true });
  writeFileSync(join(root, 'tree', 'shut', 'own', 'f'), 'text');
  chmodSync(join(root, 'tree', 'shut', 'own'), 0o500);
  chmodSync(join(root, 'tree', 'shut'), 0o557);
  return root;
}

function removed(root: string): void {
  for (const top of ['tree', 'to', 'to/tree']) {
    for (const name of ['shut', 'shut/own']) {
      if (existsSync(join(root, top, name))) chmodSync(join(root, top, name), 0o700);
    }
  }
  rmSync(root, { recursive: true });
}

test('a new directory has the mode of its source less the umask, once its files are in it', LIMIT, async () => {
  const root = tree();
  try {
    await copied(root);
    assert.equal(modeOf(join(root, 'to', 'shut')), masked(0o557));
    assert.equal(modeOf(join(root, 'to', 'shut', 'own')), masked(0o500));
    assert.equal(readFileSync(join(root, 'to', 'shut', 'own', 'f'), 'utf8'), 'text');
  } finally {
    removed(root);
  }
});

test('one that was there keeps its mode', LIMIT, async () => {
  const root = tree();
  try {
    mkdirSync(join(root, 'to', 'tree', 'shut'), { recursive: true });
    chmodSync(join(root, 'to', 'tree', 'shut'), 0o711);
    await copied(root);
    assert.equal(modeOf(join(root, 'to', 'tree', 'shut')), '711');
    assert.equal(modeOf(join(root, 'to', 'tree', 'shut', 'own')), masked(0o500));
  } finally {
    removed(root);
  }
});
