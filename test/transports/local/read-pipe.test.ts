/** Named pipes as a source: what comes through, and what gives them up. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { patternBytes } from '../../support/fixtures.js';
import { needs } from '../../support/peers.js';
import { startXfer } from '../../support/run-xfer.js';

const options = { timeout: 60_000, ...needs('mkfifo') };

function prepare(t: TestContext): { pipe: string; target: string } {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-pipe-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  return { pipe, target: join(folder, 'target') };
}

test('a pipe is read to the end of its writer, who may come late and pause', options, async (t) => {
  const { pipe, target } = prepare(t);
  const bytes = patternBytes(1_000_000);
  const copying = startXfer(['cp', pipe, target]);
  t.after(() => copying.stop('SIGKILL'));
  const writer = await open(pipe, 'w');
  await writer.writeFile(bytes.subarray(0, 300_000));
  await new Promise((resolve) => setTimeout(resolve, 300));
  await writer.writeFile(bytes.subarray(300_000));
  await writer.close();
  assert.equal((await copying.exited).exitCode, 0, copying.output());
  assert.ok(readFileSync(target).equals(bytes));
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends a copy from a pipe that nobody writes to, or whose writer is silent`, options, async (t) => {
    for (const silent of [false, true]) {
      const { pipe, target } = prepare(t);
      const copying = startXfer(['cp', pipe, target]);
      t.after(() => copying.stop('SIGKILL'));
      const writer = silent ? await open(pipe, 'w') : undefined;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      copying.child.kill(signal);
      const ended = await copying.exited;
      await writer?.close();
      assert.ok(ended.signal === signal || (ended.exitCode ?? 0) > 0, copying.output());
    }
  });
}
