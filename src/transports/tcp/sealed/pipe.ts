/** Both directions of one sealed connection at once; the end of each is a word of its own, so that nothing can be cut off. */
import type { Readable, Writable } from 'node:stream';
import { abortable, onAbort } from '../../../concurrency/on-abort.js';
import { throwIfAborted, toXferError, XferError } from '../../../errors.js';
import { describeLocation, type Location } from '../../../location.js';
import type { Scope } from '../../../transport.js';
import { watchOpenInput } from '../open-input.js';
import type { TcpAddress } from '../options.js';
import type { PipeResult, PipeStreams } from '../pipe.js';
import { addressOf } from '../raw.js';
import { watchSilence } from '../silence.js';
import { call } from './call.js';
import { FRAME } from './frame.js';
import type { Lane } from './lane.js';
import { answerCalls } from './listen/answer.js';
import { decodeFailure, newSession, PROTOCOL_VERSION } from './messages.js';
import type { SealedOptions } from './options.js';

/** For the other end to close once both have said that they are done. */
const CLOSE_MS = 5000;

/** The one sealed connection of a location, made or waited for. Rejects as `call` and `startListening` do. */
export async function openPipe(
  location: Location,
  others: readonly TcpAddress[],
  options: SealedOptions,
  scope: Scope,
): Promise<Lane> {
  throwIfAborted(scope.signal);
  const address = addressOf(location);
  const label = describeLocation(location);
  if (location.listen) return answerOne(address, label, options, scope);
  const hello = { version: PROTOCOL_VERSION, role: 'pipe', session: newSession() } as const;
  return (await call([address, ...others], label, hello, options, scope)).lane;
}

async function answerOne(address: TcpAddress, label: string, options: SealedOptions, scope: Scope): Promise<Lane> {
  let taken = false;
  let came: (lane: Lane) => void = () => {};
  const first = new Promise<Lane>((resolve) => {
    came = resolve;
  });
  const server = await answerCalls(address, label, 'pipe', options, (lane, hello, peer) => {
    if (taken) throw new XferError('UNREACHABLE', 'pipe: another end is connected there');
    taken = true;
    const start = () => {
      options.onConnection?.(peer);
      came(lane);
    };
    return { hello: { version: hello.version, role: 'pipe', session: hello.session }, start };
  });
  try {
    return await abortable(first, scope);
  } finally {
    server.close();
  }
}

/**
 * Passes `input` to the other end, and what it sends to `output`, until both have ended. `input` is destroyed in every case.
 * Rejects with DISCONNECTED where the connection ends before both ends have said that they are done, or `output` breaks.
 */
export async function sealedPipe(
  lane: Lane,
  streams: PipeStreams,
  scope: Scope,
  onNotice?: (line: string) => void,
): Promise<PipeResult> {
  const run = new PipeRun(lane, streams, onNotice);
  const free = onAbort(scope.signal, () => run.settle(scope.signal.reason));
  try {
    await run.ended;
    return { sentBytes: run.sentBytes, receivedBytes: run.receivedBytes };
  } finally {
    free();
    streams.input.destroy();
    lane.cut();
    await lane.closed;
  }
}

class PipeRun {
  readonly ended: Promise<void>;
  sentBytes = 0;
  receivedBytes = 0;
  readonly #lane: Lane;
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #onNotice: ((line: string) => void) | undefined;
  #watch = watchSilence(undefined, () => {});
  #end: (error?: unknown) => void = () => {};
  #hadInput = false;
  #saidDone = false;
  #heardDone = false;

  constructor(lane: Lane, { input, output }: PipeStreams, onNotice?: (line: string) => void) {
    this.#lane = lane;
    this.#onNotice = onNotice;
    this.#input = input;
    this.#output = output;
    this.ended = new Promise<void>((resolve, reject) => {
      this.#end = (error) => (error === undefined ? resolve() : reject(error));
    });
    output.on('error', (error) => this.settle(toXferError(error, 'write output')));
    output.on('drain', () => lane.resume());
    input.on('error', (error) => this.settle(toXferError(error, 'read input')));
    input.on('data', (chunk: Buffer) => this.#send(chunk));
    input.once('end', () => this.#finish());
    if (input.readableEnded || input.destroyed) this.#finish();
    lane.start({
      onFrame: (kind, _id, body) => {
        if (kind === FRAME.end) this.#heard();
        else if (kind === FRAME.failed) lane.cut(decodeFailure(body));
        else if (kind !== FRAME.ping) throw new XferError('PROTOCOL', `connection ${lane.label}: not what a pipe says`);
      },
      onBytes: (_id, bytes) => {
        if (this.#heardDone) throw new XferError('PROTOCOL', `connection ${lane.label}: bytes after the end`);
        this.receivedBytes += bytes.length;
        if (!output.write(bytes)) lane.pause();
      },
      onGone: (error) => this.settle(this.#saidDone && this.#heardDone ? undefined : error),
    });
  }

  settle(error?: unknown): void {
    this.#watch.stop();
    this.#end(error);
  }

  #send(chunk: Buffer): void {
    this.#hadInput = true;
    this.#watch.heard();
    this.#input.pause();
    this.#lane.sendBytes(0, chunk, (error) => {
      if (error) return;
      this.sentBytes += chunk.length;
      if (!this.#saidDone) this.#input.resume();
    });
  }

  /** No more goes to the other end. */
  #finish(): void {
    if (this.#saidDone) return;
    this.#saidDone = true;
    this.#watch.stop();
    this.#lane.send(FRAME.end, 0);
    if (this.#heardDone) this.#close();
  }

  /** No more comes. A terminal is not waited for. */
  #heard(): void {
    if (this.#heardDone) return;
    this.#heardDone = true;
    this.#output.end(() => {
      if (this.#saidDone) this.#close();
      else if ((this.#input as { isTTY?: boolean }).isTTY) this.#finish();
      else {
        this.#watch = watchOpenInput({
          onlyReceived: () => this.receivedBytes > 0 && !this.#hadInput,
          onNotice: this.#onNotice,
          giveUp: () => this.#finish(),
        });
      }
    });
  }

  #close(): void {
    this.#lane.finish();
    this.#watch = watchSilence(CLOSE_MS, () => this.settle());
  }
}
