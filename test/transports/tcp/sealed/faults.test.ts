/**
 * Sealed transfers over a line that is cut, reset, stalls, or turns bytes over, at random points of either way: never a
 * short file under its name, and the next run makes all of it right. XFER_FAULTS sets how many, XFER_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { copy } from '#xfer/copy/index.js';
import { retry } from '#xfer/copy/retry.js';
import { XferError } from '#xfer/errors.js';
import { openLocalSink, openLocalSource } from '#xfer/transports/local/index.js';
import { receiveByCalling } from '#xfer/transports/tcp/sealed/receive/caller.js';
import { openSealedSink, type SealedSink } from '#xfer/transports/tcp/sealed/send/sink.js';
import { type FaultyProxyOptions, startFaultyProxy } from '../../../support/faulty-proxy.js';
import { assertNoMoreThan, countOpen } from '../../../support/leaks.js';
import { Dice, pickSeed } from '../../../support/random.js';
import { HOST, KEY, offering, openSending, startReceiving, startSending, takeAll } from '../../../support/sealed.js';
import { differences, makeFlatTree, makeRandomFile } from '../../../support/trees.js';

const FAULTS = Number(process.env.XFER_FAULTS ?? 24);
const LARGE_BYTES = 4 << 20;
const TEST = { timeout: 60_000 + FAULTS * 5000 };
const RETRY = { attempts: 6, firstDelayMs: 10, maxDelayMs: 50 };
/** Without progress for so long the person at the sender gives up: on a line that may stall, and on a good one. */
const STALLED_MS = 700;
const HUNG_MS = 30_000;

type Fault = Omit<FaultyProxyOptions, 'to'>;

describe('sealed transfers over a line that fails', TEST, () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'xfer-sealed-faults-'));
    makeRandomFile(join(root, 'large'), LARGE_BYTES);
    mkdirSync(join(root, 'tree'));
    makeFlatTree(join(root, 'tree/many'), 100, 3000);
    makeRandomFile(join(root, 'tree/large'), LARGE_BYTES / 2);
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  for (const [at, caller] of (['sender', 'receiver'] as const).entries()) {
    for (const what of ['large', 'tree'] as const) {
      const seed = pickSeed() + at;
      test(`the ${caller} calls, ${what}, seed ${seed}`, TEST, async () => {
        const dice = new Dice(seed);
        for (let round = 0; round < FAULTS / 4; round += 1) {
          const open = countOpen();
          const fault = anyFault(dice, what === 'large' ? LARGE_BYTES : LARGE_BYTES / 2 + 400_000, caller);
          const folder = join(root, `to-${caller}-${what}-${round}`);
          mkdirSync(folder);
          await survives(caller === 'sender' ? senderCalls : receiverCalls, join(root, what), folder, fault);
          rmSync(folder, { recursive: true });
          await assertNoMoreThan(open);
        }
      });
    }
  }
});

function anyFault(dice: Dice, bytes: number, caller: 'sender' | 'receiver'): Fault {
  const way = dice.of(['up', 'down'] as const);
  const bulk = (way === 'up') === (caller === 'sender');
  // The way back has little on it, and the handshake is a part of that.
  const at = dice.below(4) === 0 ? dice.below(2000) : dice.below(bulk ? bytes : 5000);
  const kinds = ['cutAfterBytes', 'resetAfterBytes', 'stallAfterBytes', 'flipByteAt'] as const;
  return { way, [dice.of(kinds)]: at, times: 1 + dice.below(2) };
}

type Run = (source: string, folder: string, fault: Fault) => Promise<unknown>;

/** Runs over the fault; what comes of it may be an error, and never a short file. Then runs again. */
async function survives(run: Run, source: string, folder: string, fault: Fault): Promise<void> {
  const said = JSON.stringify(fault);
  const target = join(folder, source.endsWith('large') ? 'large' : 'tree');
  const error = await run(source, folder, fault);
  assertNothingShort(source, target, said);
  if (error !== undefined) {
    assert.ok(error instanceof XferError, `${said}: ${error}`);
    // A byte that was turned over in the magic or in the proof of the key is no other than a wrong one.
    const early = (fault.flipByteAt ?? 2000) < 2000 && ['DENIED', 'PROTOCOL'].includes(error.code);
    assert.ok(error.retryable || early, `${said}: ${error.code} ${error.message}`);
    assert.equal(await run(source, folder, { times: 0 }), undefined, said);
  }
  assert.deepEqual(differences(source, target, { modes: true, times: true }), [], said);
  const parts = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('part'));
  assert.deepEqual(parts, [], said);
}

async function senderCalls(source: string, folder: string, fault: Fault): Promise<unknown> {
  const receiving = await startReceiving(await openLocalSink(folder));
  const proxy = await startFaultyProxy({ to: { host: HOST, port: receiving.port }, ...fault });
  try {
    return await send(source, fault, (scope) =>
      openSending(proxy.port, { offer: offerOf(source), scope, connections: 2 }),
    );
  } finally {
    await receiving.stop();
    await proxy.stop();
  }
}

async function receiverCalls(source: string, folder: string, fault: Fault): Promise<unknown> {
  const sending = await startSending();
  const proxy = await startFaultyProxy({ to: { host: HOST, port: sending.port }, ...fault });
  const stop = new AbortController();
  const again = (attempt: () => Promise<void>) =>
    retry(attempt, { policy: { ...RETRY, attempts: 50 }, signal: stop.signal, what: 'receive', onRetry: () => {} });
  const sink = await openLocalSink(folder);
  const common = { key: KEY, policy: {}, events: takeAll(), identity: 'test', again };
  const received = receiveByCalling([{ host: HOST, port: proxy.port }], 'sender', sink, common, stop);
  received.catch(() => {});
  try {
    const opening = async (scope: { signal: AbortSignal }) => {
      const opener = await Promise.race([sending.opener, rejectedBy(scope.signal)]);
      return openSealedSink(opener, offerOf(source), { connections: 2 }, scope);
    };
    return await send(source, fault, opening);
  } finally {
    stop.abort(new Error('stopped by the test'));
    await received.catch(() => {});
    sending.stop();
    await proxy.stop();
  }
}

function offerOf(source: string) {
  return offering(source.endsWith('large') ? 'large' : 'tree');
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}

/** Sends, and gives up where nothing moves. Resolves with the error. */
async function send(
  source: string,
  fault: Fault,
  open: (scope: { signal: AbortSignal }) => Promise<SealedSink>,
): Promise<unknown> {
  const stop = new AbortController();
  const stalled = new XferError('TIMED_OUT', 'nothing moved, said the test');
  const timer = setTimeout(() => stop.abort(stalled), fault.times === 0 ? HUNG_MS : STALLED_MS);
  let sink: SealedSink | undefined;
  try {
    sink = await retry(() => open(stop), { policy: RETRY, signal: stop.signal, what: 'send', onRetry: () => {} });
    const result = await copy([await openLocalSource(source)], sink, {
      recursive: true,
      preserve: true,
      intoDirectory: true,
      verify: 'sha256',
      blockBytes: 512 << 10,
      retry: RETRY,
      signal: stop.signal,
      onEvent: () => timer.refresh(),
    });
    if (result.failures[0]) return result.failures[0].error;
    assert.equal(result.verified, 'sha256');
    await sink.conclude({ files: result.files, bytes: result.bytes, failures: 0 }, stop);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    clearTimeout(timer);
    await sink?.close();
  }
}

/** What has its name has all its bytes. */
function assertNothingShort(source: string, target: string, said: string): void {
  if (!existsSync(target)) return;
  if (!statSync(target).isDirectory()) {
    assert.ok(readFileSync(source).equals(readFileSync(target)), said);
    return;
  }
  for (const name of readdirSync(target, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.xfer-part') || statSync(join(target, name)).isDirectory()) continue;
    assert.ok(readFileSync(join(source, name)).equals(readFileSync(join(target, name))), `${said}: ${name}`);
  }
}
