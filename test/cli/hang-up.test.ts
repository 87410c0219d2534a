/** A hang-up of the terminal ends a command tidily, unless nohup asked for the contrary. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startedByNohup } from '#xfer/cli/hang-up.js';
import { needs } from '../support/peers.js';
import { startProgram, startXfer, XFER } from '../support/run-xfer.js';

const bounded = { timeout: 30_000 };
const withSignals = process.platform === 'win32' ? { ...bounded, skip: 'Windows sends no signals' } : bounded;

test('nohup is known by the name that a shell leaves', () => {
  assert.equal(startedByNohup({ _: '/usr/bin/nohup' }), true);
  assert.equal(startedByNohup({ _: '/usr/bin/node' }), false);
  assert.equal(startedByNohup({}), false);
});

test('a hang-up ends a listener tidily', withSignals, async () => {
  const end = startXfer(['recv', '-l', '127.0.0.1:0', '-']);
  await end.waitForLine(/listening on/);
  end.child.kill('SIGHUP');
  assert.deepEqual(await end.exited, { exitCode: 129, signal: null });
  assert.match(end.output(), /stopped by SIGHUP/);
});

test('under nohup it goes on', { ...withSignals, ...needs('nohup', 'bash') }, async (t) => {
  const line = `nohup '${process.execPath}' '${XFER}' recv -l 127.0.0.1:0 - & echo pid $!; wait`;
  const end = startProgram('bash', ['-c', line]);
  t.after(() => end.stop('SIGKILL'));
  await end.waitForLine(/listening on/);
  const [, pid] = await end.waitForLine(/pid (\d+)/);
  process.kill(Number(pid), 'SIGHUP');
  await new Promise((resolve) => setTimeout(resolve, 300));
  process.kill(Number(pid), 'SIGTERM');
  await end.waitForLine(/stopped by SIGTERM/);
});
