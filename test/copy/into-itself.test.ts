/** A tree that holds the target of its own copy, by a link. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { copy } from '#xfer/copy/index.js';
import { openLocalSink, openLocalSource } from '#xfer/transports/local/index.js';

const LIMIT = { timeout: 30_000 };

async function copied(root: string, target: string, name: string): Promise<{ codes: string[]; names: string[] }> {
  const [source, sink] = [await openLocalSource(join(root, 'tree')), await openLocalSink(join(root, target))];
  const { failures } = await copy([source], sink, { recursive: true });
  const names = readdirSync(join(root, target, name), { recursive: true, encoding: 'utf8' });
  return { codes: failures.map(({ error }) => error.code), names: names.sort() };
}

function tree(): string {
  const root = mkdtempSync(join(tmpdir(), 'xfer-itself-'));
  for (const name of ['tree', 'there']) mkdirSync(join(root, name));
  writeFileSync(join(root, 'tree', 'f'), 'text');
  symlinkSync('..', join(root, 'tree', 'up'));
  return root;
}

test('a link that leads to the target fails alone, and the copy ends', LIMIT, async () => {
  const root = tree();
  try {
    const { codes, names } = await copied(root, 'there', 'tree');
    assert.deepEqual(new Set(codes), new Set(['UNSAFE_PATH']));
    assert.deepEqual(names, ['f', 'up', 'up/there']);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('so it does where the copy makes its target', LIMIT, async () => {
  const root = tree();
  try {
    const { codes, names } = await copied(root, 'made', '');
    assert.deepEqual(new Set(codes), new Set(['UNSAFE_PATH']));
    assert.ok(names.includes('f'));
    assert.ok(!names.some((name) => name.startsWith('up/made/')), `it holds ${names.join(' ')}`);
  } finally {
    rmSync(root, { recursive: true });
  }
});
