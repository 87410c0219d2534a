import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runXfer, XFER } from '../../support/run-xfer.js';
import { makeRandomFile } from '../../support/trees.js';

test('a file as standard input is copied from where the one that opened it stands', { timeout: 30_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-stdio-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [from, to] = [join(folder, 'from'), join(folder, 'to')];
  makeRandomFile(from, 2_600_000);
  const input = openSync(from, 'r');
  readSync(input, Buffer.alloc(1001));
  const child = spawn(process.execPath, [XFER, 'cp', '-q', '-', to], { stdio: [input, 'inherit', 'inherit'] });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
  assert.ok(readFileSync(to).equals(readFileSync(from).subarray(1001)));
  assert.equal(readSync(input, Buffer.alloc(1)), 0, 'whoever reads on finds the end');
  closeSync(input);
});

test('a directory to standard output is refused, with what to type', { timeout: 30_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-stdio-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'd'));
  writeFileSync(join(folder, 'd', 'below'), 'bytes');
  const { exitCode, stderr } = await runXfer(['cp', join(folder, 'd'), '-']);
  assert.equal(exitCode, 2);
  assert.match(stderr, /^xfer: copy .*d to standard output: it takes one file\n.*hint: name a directory as the target/);
});
