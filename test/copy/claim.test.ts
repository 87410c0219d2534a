import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { claim } from '#xfer/copy/claim.js';

const ENDED_PID = 999_999_999;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xfer-claim-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A claim as this one, of another process or machine. */
async function claimOf(change: { pid?: number; host?: string }): Promise<string> {
  const file = await claim(directory, 'a');
  assert.ok(file);
  await rm(file);
  const [id, host, pid, ...rest] = file.slice(directory.length + 1).split('.');
  const name = [id, change.host ?? host, change.pid ?? pid, ...rest].join('.');
  await writeFile(join(directory, name), '');
  return name;
}

test('one at a time has a pair, and leaves nothing', async () => {
  const first = await claim(directory, 'a');
  assert.ok(first);
  assert.equal(await claim(directory, 'a'), undefined);
  const other = await claim(directory, 'b');
  assert.ok(other);
  assert.equal((await readdir(directory)).length, 2);
  await rm(first);
  await rm(other);
  assert.ok(await claim(directory, 'a'));
});

test('what a killed process left is no claim, and is removed', async () => {
  await claimOf({ pid: ENDED_PID });
  const file = await claim(directory, 'a');
  assert.deepEqual([join(directory, (await readdir(directory)).join())], [file]);
});

test('a claim made on another machine stands', async () => {
  const name = await claimOf({ pid: ENDED_PID, host: '01234567' });
  assert.equal(await claim(directory, 'a'), undefined);
  assert.deepEqual(await readdir(directory), [name]);
});

test('of many at once, where a killed one left its own, at most one has it', { timeout: 60_000 }, async () => {
  for (let round = 0; round < 100; round += 1) {
    await claimOf({ pid: ENDED_PID });
    const files = await Promise.all(Array.from({ length: 8 }, () => claim(directory, 'a')));
    const taken = files.filter((file) => file !== undefined);
    assert.ok(taken.length <= 1, `round ${round}: ${taken.length} have it`);
    for (const file of taken) await rm(file);
    const alone = await claim(directory, 'a');
    assert.deepEqual([join(directory, (await readdir(directory)).join())], [alone]);
    await rm(alone as string);
  }
});

const linux = { timeout: 10_000, skip: process.platform !== 'linux' && 'only Linux tells a zombie from a process' };
test('a process that was killed, and that nobody waits for, claims nothing', linux, async (t) => {
  // It ends after the shell has become one that does not look after its children.
  const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 30'], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => parent.kill('SIGKILL'));
  const [zombie] = (await once(parent.stdout, 'data')) as [Buffer];
  await claimOf({ pid: Number(zombie) });
  let file: string | undefined;
  while (file === undefined && !t.signal.aborted) file = await claim(directory, 'a');
  assert.ok(file);
  assert.doesNotThrow(() => process.kill(Number(zombie), 0));
});
