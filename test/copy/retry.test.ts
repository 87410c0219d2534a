import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retry } from '#xfer/copy/retry.js';
import { XferError } from '#xfer/errors.js';

const policy = { attempts: 3, firstDelayMs: 1, maxDelayMs: 2 };

function options(overrides: Partial<Parameters<typeof retry>[1]> = {}): Parameters<typeof retry>[1] {
  const signal = new AbortController().signal;
  return { policy, signal, what: 'try', progress: () => 0, mayRetry: () => true, onRetry: () => {}, ...overrides };
}

test('gives up after the set number of tries without progress', async () => {
  let tries = 0;
  const failing = retry(async () => {
    tries += 1;
    throw new XferError('DISCONNECTED', 'line: lost');
  }, options());
  await assert.rejects(failing, { code: 'DISCONNECTED' });
  assert.equal(tries, 3);
});

test('counts anew after progress', async () => {
  let tries = 0;
  const result = await retry(
    async () => {
      tries += 1;
      if (tries < 10) throw new XferError('DISCONNECTED', 'line: lost');
      return 'done';
    },
    options({ progress: () => tries }),
  );
  assert.equal(result, 'done');
});

test('does not try again what cannot get better', async () => {
  let tries = 0;
  const failing = retry(async () => {
    tries += 1;
    throw new XferError('DENIED', 'open x: permission denied');
  }, options());
  await assert.rejects(failing, { code: 'DENIED' });
  assert.equal(tries, 1);
});

test('the signal stops a wait at once, with its reason', async () => {
  const stop = new AbortController();
  const reason = new Error('stopped');
  const waiting = retry(
    async () => {
      throw new XferError('TIMED_OUT', 'line: silent');
    },
    options({
      signal: stop.signal,
      policy: { attempts: 9, firstDelayMs: 60_000, maxDelayMs: 60_000 },
      onRetry: () => setImmediate(() => stop.abort(reason)),
    }),
  );
  await assert.rejects(waiting, reason);
});

test('waits as long as the other end asked', async () => {
  const delays: number[] = [];
  await assert.rejects(
    retry(
      async () => {
        throw new XferError('DISCONNECTED', 'server: busy', { retryAfterMs: 7 });
      },
      options({ onRetry: (_, delayMs) => delays.push(delayMs) }),
    ),
  );
  assert.deepEqual(delays, [7, 7]);
});

test('a wait that is longer than a timer can be is no short one', { timeout: 5000 }, async () => {
  const waits: number[] = [];
  const endless = { attempts: 9, firstDelayMs: Number.POSITIVE_INFINITY, maxDelayMs: Number.POSITIVE_INFINITY };
  const failing = retry(
    () => Promise.reject(new XferError('DISCONNECTED', 'line: lost')),
    options({ policy: endless, signal: AbortSignal.timeout(50), onRetry: (_attempt, ms) => waits.push(ms) }),
  );
  await assert.rejects(failing, { name: 'TimeoutError' });
  assert.equal(waits.length, 1);
});
