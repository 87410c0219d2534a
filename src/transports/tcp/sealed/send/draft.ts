/** A file on its way to a receiver. */
import type { Writable } from 'node:stream';
import { abortable } from '../../../../concurrency/on-abort.js';
import { throwIfAborted, XferError } from '../../../../errors.js';
import type { ByteRange, Digest, DigestAlgorithm, Draft, Entry, Scope } from '../../../../transport.js';
import { BodyReader, BodyWriter } from '../body.js';
import { FRAME, type FrameKind } from '../frame.js';
import { readRanges, writeEntry } from '../messages.js';
import type { Connections } from './connections.js';
import type { Requests } from './requests.js';
import { SealedWriter } from './writer.js';

/** For the receiver to end a draft. Where it does not, the connection is cut, and the receiver ends it by itself. */
const END_MS = 15_000;
/** Where the person waits for the end of it all. */
const ABORTED_END_MS = 1000;

export class SealedDraft implements Draft {
  readonly held: readonly ByteRange[];
  readonly inOrder?: true;
  readonly there?: true;
  readonly #connections: Connections;
  /** Drafts end with the connections on which they were made. */
  readonly #epoch: number;
  readonly #number: number;
  #signal: AbortSignal | undefined;
  #onEnd: (() => void) | undefined;

  /** `epoch` is that of the connections when the draft was asked for. `onEnd` is called once, when the draft is no more. */
  constructor(connections: Connections, epoch: number, answer: Buffer, onEnd: () => void) {
    const body = new BodyReader(answer);
    this.#connections = connections;
    this.#epoch = epoch;
    this.#onEnd = onEnd;
    this.#number = body.u32();
    const flags = body.u8();
    if (flags & 1) this.inOrder = true;
    if (flags & 2) this.there = true;
    this.held = readRanges(body);
    body.end();
  }

  async write(start: number, { signal }: Scope): Promise<Writable> {
    this.#signal = signal;
    throwIfAborted(signal);
    return new SealedWriter(this.#requests(), this.#number, start, signal);
  }

  async digest(algorithm: DigestAlgorithm, scope: Scope): Promise<Digest> {
    if (algorithm !== 'sha256') throw new XferError('UNSUPPORTED', `digest: a receiver knows sha256, not ${algorithm}`);
    const body = new BodyReader(await this.#ask(FRAME.digest, scope));
    const readBack = body.u8() === 1;
    const hex = body.raw(32).toString('hex');
    body.end();
    return { hex, readBack };
  }

  async commit(entry: Entry, scope: Scope): Promise<void> {
    await this.#ask(FRAME.commit, scope, writeEntry(new BodyWriter(), entry).bytes());
    this.#ended();
  }

  async suspend(): Promise<void> {
    await this.#end(FRAME.suspend);
  }

  async discard(): Promise<void> {
    await this.#end(FRAME.discard);
  }

  /** Where the connections are gone, the receiver has kept what may be gone on with, and removed the rest. */
  async #end(kind: FrameKind): Promise<void> {
    try {
      if (this.#connections.epoch === this.#epoch) await this.#askEnd(this.#requests(), kind);
    } finally {
      this.#ended();
    }
  }

  async #askEnd(requests: Requests, kind: FrameKind): Promise<void> {
    const timer = setTimeout(() => requests.lane.cut(), this.#signal?.aborted ? ABORTED_END_MS : END_MS);
    try {
      await requests.ask(kind, this.#body());
    } finally {
      clearTimeout(timer);
    }
  }

  #ended(): void {
    this.#onEnd?.();
    this.#onEnd = undefined;
  }

  #ask(kind: FrameKind, scope: Scope, ...more: Uint8Array[]): Promise<Buffer> {
    this.#signal = scope.signal;
    throwIfAborted(scope.signal);
    return abortable(this.#requests().ask(kind, this.#body(), ...more), scope);
  }

  #body(): Buffer {
    return new BodyWriter().u32(this.#number).bytes();
  }

  #requests(): Requests {
    const requests = this.#connections.epoch === this.#epoch ? this.#connections.leastBusy() : undefined;
    if (requests) return requests;
    throw new XferError('DISCONNECTED', `connection ${this.#connections.label}: lost`);
  }
}
