/** Files that their owner may not write: they are so when they arrive, as with cp, rsync and scp's uploads. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { startSshd } from '../support/sshd.js';

const program = { ...needs('sshd', 'ssh-keygen'), timeout: 120_000 };

const WAYS: Record<string, readonly [options: readonly string[], from: string, to: string]> = {
  up: [[], '', 'h:'],
  down: [[], 'h:', ''],
  local: [[], '', ''],
  'down by the old protocol': [['-O'], 'h:', ''],
  'up in place': [['--inplace'], '', 'h:'],
};

test('a read-only file arrives read-only, and again over itself', program, async () => {
  const sshd = await startSshd();
  try {
    for (const [way, [options, from, to]] of Object.entries(WAYS)) {
      const folder = join(sshd.directory, way.replaceAll(' ', '-'));
      mkdirSync(join(folder, 'to'), { recursive: true });
      for (const [name, bytes, mode] of [
        ['small', 100, 0o400],
        ['large', 9 << 20, 0o444],
        ['program', 100, 0o555],
      ] as const) {
        const source = join(folder, name);
        writeFileSync(source, Buffer.alloc(bytes, name));
        chmodSync(source, mode);
        const target = join(folder, 'to', name);
        for (const time of ['first', 'second']) {
          const words = ['scp', '-q', '-F', sshd.configFile, ...options, from + source, to + target];
          const { exitCode, stderr } = await runXfer(words);
          assert.equal(exitCode, 0, `${way} ${name}: ${stderr}`);
          assert.equal((statSync(target).mode & 0o777).toString(8), mode.toString(8), `${way} ${name} ${time}`);
          assert.ok(readFileSync(target).equals(readFileSync(source)));
        }
      }
      assert.deepEqual(readdirSync(join(folder, 'to')).sort(), ['large', 'program', 'small']);
    }
  } finally {
    await sshd.stop();
  }
});
