/** Both roles of raw TCP against the programs at the other end, which connect and listen, with stdin open and closed. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { XferError } from '#xfer/errors.js';
import type { Location } from '#xfer/location.js';
import type { TcpOptions } from '#xfer/transports/tcp/index.js';
import { failsWith } from '../support/fails-with.js';
import { freePort } from '../support/free-port.js';
import { findProgram, needs } from '../support/peers.js';
import { at, HOST, listening, never, openSink, openSource, portOf } from '../transports/tcp/rig.js';
import { PLAIN_PEERS } from './plain-peers.js';

const SIZE = 5_000_000;
const payload = randomBytes(SIZE);
const digest = sha256(payload);
let folder = '';
let file = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xfer-nc-'));
  file = join(folder, 'payload');
  await writeFile(file, payload);
});
after(() => rm(folder, { recursive: true, force: true }));

type Stdin = 'file' | 'null' | 'open';

interface Running {
  readonly child: ChildProcess;
  readonly output: Promise<Buffer>;
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

function run(program: string, args: string[], stdin: Stdin): Running {
  const input = stdin === 'file' ? openSync(file, 'r') : undefined;
  const child = spawn(findProgram(program) ?? program, args, {
    stdio: [input ?? (stdin === 'open' ? 'pipe' : 'ignore'), 'pipe', 'ignore'],
    env: { ...process.env, SHLVL: '1' },
  });
  if (input !== undefined) closeSync(input);
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { child, output: ended.then(() => Buffer.concat(chunks)), ended, stop };
}

/** Opens the way to a peer that listens, as soon as it does. */
async function retrying<T>(open: (location: Location) => Promise<T>, location: Location): Promise<T> {
  for (;;) {
    try {
      return await open(location);
    } catch (error) {
      if (!(error instanceof XferError && error.code === 'UNREACHABLE')) throw error;
      await wait(10);
    }
  }
}

/** Starts the peer, listening or connecting, and opens our end with it. */
async function meet<T>(
  start: (port: string) => Running,
  peerListens: boolean,
  open: (location: Location, options: TcpOptions) => Promise<T>,
  options: TcpOptions,
): Promise<{ end: T; peer: Running }> {
  if (peerListens) {
    const port = await freePort();
    const peer = start(String(port));
    return { peer, end: await retrying((location) => open(location, options), at(port)) };
  }
  const listen = portOf(options);
  const opening = open(listening, listen.options);
  const peer = start(String(await listen.port));
  return { peer, end: await opening };
}

async function receiveFrom(start: (port: string) => Running, peerListens: boolean, options: TcpOptions): Promise<void> {
  const { end: source, peer } = await meet(start, peerListens, openSource, options);
  try {
    const hash = createHash('sha256');
    for await (const bytes of await source.read({ path: '', kind: 'file' }, { start: 0 }, never)) hash.update(bytes);
    assert.equal(hash.digest('hex'), digest);
    await source.close();
    // A sender that waits for our end must see it.
    await peer.ended;
  } finally {
    await source.close();
    await peer.stop();
  }
}

async function send(sink: Awaited<ReturnType<typeof openSink>>): Promise<void> {
  const entry = { path: '', kind: 'file', size: SIZE } as const;
  const draft = await sink.draft(entry, never);
  await pipeline(Readable.from(pieces()), await draft.write(0, never));
  await draft.commit(entry, never);
}

function* pieces(): Iterable<Buffer> {
  for (let at = 0; at < SIZE; at += 256 * 1024) yield payload.subarray(at, at + 256 * 1024);
}

/** Whether we said that it arrived. Where we did, it did. */
async function sendTo(start: (port: string) => Running, peerListens: boolean, finTimeoutMs: number): Promise<boolean> {
  const { end: sink, peer } = await meet(start, peerListens, openSink, { finTimeoutMs });
  try {
    await send(sink);
    await peer.ended;
    assert.equal(sha256(await peer.output), digest, 'we said it arrived, and it did not');
    return true;
  } catch (error) {
    if (!(error instanceof XferError)) throw error;
    assert.match(error.message, /not confirmed/);
    return false;
  } finally {
    await sink.close();
    await peer.stop();
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('plain peers', { concurrency: 4 }, () => {
  for (const [name, peer] of Object.entries(PLAIN_PEERS)) {
    const options = { ...needs(peer.program), timeout: 10_000 };
    for (const how of ['connect', 'listen'] as const) {
      const sending = peer.send?.[how];
      if (sending) {
        test(`${name} sends, it ${how}s: complete`, options, async () => {
          const idle: TcpOptions = peer.waitsForFin ? { finishIdleMs: 300 } : {};
          await receiveFrom((port) => run(peer.program, sending(port), 'file'), how === 'listen', idle);
        });
      }
      const receiving = peer.receive?.[how];
      for (const stdin of receiving ? (['null', 'open'] as const) : []) {
        test(`${name} receives, it ${how}s, stdin ${stdin}: complete, or we say so`, options, async () => {
          const start = (port: string) => run(peer.program, receiving?.(port) ?? [], stdin);
          const waitsForStdin = peer.stays && how === 'connect' && stdin === 'open';
          const arrived = await sendTo(start, how === 'listen', waitsForStdin ? 500 : 5000);
          const mayFail = waitsForStdin || (peer.endsWithStdin && stdin === 'null');
          assert.ok(arrived || mayFail, 'complete, and confirmed');
        });
      }
    }
  }

  test('a receiver that is killed half-way is an error', { ...needs('socat'), timeout: 10_000 }, async () => {
    const start = (port: string) => run('socat', ['-u', `TCP4-LISTEN:${port},bind=${HOST}`, 'STDOUT'], 'null');
    const { end: sink, peer } = await meet(start, true, openSink, {});
    peer.child.stdout?.once('data', () => peer.child.kill('SIGKILL'));
    const draft = await sink.draft({ path: '', kind: 'file' }, never);
    const endless = Readable.from(
      (function* () {
        for (;;) yield payload;
      })(),
    );
    await assert.rejects(pipeline(endless, await draft.write(0, never)), failsWith('DISCONNECTED', /not confirmed/));
    await sink.close();
    await peer.stop();
  });
});
