import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectAgain } from '#xfer/cli/tcp/connect-again.js';
import { type ErrorCode, XferError } from '#xfer/errors.js';
import { failsWith } from '../../support/fails-with.js';

/** Tries to open what fails so many times with an error of `code`; how often it was tried, and what was said. */
async function connect(code: ErrorCode, failures: number, sealed: boolean) {
  let tries = 0;
  const said: string[] = [];
  const open = async () => {
    tries += 1;
    if (tries <= failures) throw new XferError(code, 'connect: failed');
  };
  const report = { onNotice: (line: string) => void said.push(line) };
  const { signal } = new AbortController();
  const to = { scheme: 'tcp', host: '127.0.0.1', port: 1, path: '' } as const;
  const opened = connectAgain(open, { role: 'send', to, retries: 9, sealed, report: report as never, signal });
  return { opened, said, tries: () => tries };
}

test('nobody there is waited for', async () => {
  for (const sealed of [false, true]) {
    const { opened, said, tries } = await connect('UNREACHABLE', 2, sealed);
    await opened;
    assert.deepEqual([tries(), said], [3, ['connect: failed; waiting for it']]);
  }
});

test('a line that is lost at once is made again a few times for an end with a key, and never for a plain one', async () => {
  const again = await connect('DISCONNECTED', 2, true);
  await again.opened;
  assert.equal(again.tries(), 3);
  const always = await connect('DISCONNECTED', 9, true);
  await assert.rejects(always.opened, failsWith('DISCONNECTED'));
  assert.equal(always.tries(), 5);
  const plain = await connect('DISCONNECTED', 1, false);
  await assert.rejects(plain.opened, failsWith('DISCONNECTED'));
  assert.equal(plain.tries(), 1);
});

test('what will not pass is final', async () => {
  const { opened, tries } = await connect('DENIED', 1, true);
  await assert.rejects(opened, failsWith('DENIED'));
  assert.equal(tries(), 1);
});
