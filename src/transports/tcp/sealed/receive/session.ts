/** One sender's session, on however many connections: what comes on them, in bounds, and what becomes of it when they go. */
import { setMaxListeners } from 'node:events';
import { toXferError, XferError } from '../../../../errors.js';
import type { Sink } from '../../../../transport.js';
import { BodyReader, BodyWriter } from '../body.js';
import { FRAME, type FrameKind } from '../frame.js';
import type { Lane } from '../lane.js';
import { decodeFailure, encodeFailure } from '../messages.js';
import { Answers } from './answers.js';
import { Drafts, type IncomingFile } from './drafts.js';
import { Incoming } from './incoming.js';
import type { ReceivePolicy } from './policy.js';
import type { Farewell, ReceiveEvents } from './receive-events.js';

export type { Farewell, ReceiveEvents } from './receive-events.js';

/** Requests being worked on, of one connection; beyond it no more are read until some are done. */
const MOST_AT_WORK = 128;
/** Streams open at once on one connection. */
const MOST_STREAMS = 600;
/** Of answers that a sender does not read. */
const MOST_UNREAD_BYTES = 1 << 20;
/** That a sender may ask for at a time. */
const MOST_LANES = 16;

interface OpenStream {
  readonly file: IncomingFile;
  readonly incoming: Incoming;
}

interface OpenLane {
  readonly lane: Lane;
  readonly streams: Map<number, OpenStream>;
  atWork: number;
  /** Streams that cannot take more now. */
  full: number;
  /** Pieces that came sooner than the rate allows. */
  early: number;
}

export class ReceiveSession {
  /** Called when the last connection is gone before a farewell, and before `close`. */
  onLost: ((error: XferError) => void) | undefined;
  /** Called when the sender said that all is done, and knows that we know. */
  onFarewell: ((farewell: Farewell) => void) | undefined;
  /** The sender wants so many more connections, where it cannot make them. */
  onLanes: ((count: number) => void) | undefined;
  readonly #events: ReceiveEvents;
  readonly #drafts: Drafts;
  readonly #answers: Answers;
  readonly #admit: ReceivePolicy['admit'];
  readonly #lanes = new Set<OpenLane>();
  readonly #stop = new AbortController();
  /** All that is under way, on any connection, except the question whether an offer is taken. */
  readonly #works = new Set<Promise<unknown>>();
  /** What connections that are gone have left under way. */
  #leaving: Promise<unknown>;
  #farewell: Farewell | undefined;

  /** Nothing is taken before `after`. */
  constructor(sink: Sink, policy: ReceivePolicy, events: ReceiveEvents, after: Promise<unknown> = Promise.resolve()) {
    this.#events = events;
    this.#leaving = after;
    this.#admit = policy.admit;
    // Each file that is read back waits on it.
    setMaxListeners(0, this.#stop.signal);
    this.#drafts = new Drafts(sink, policy);
    this.#answers = new Answers(sink, policy, events, this.#drafts, { signal: this.#stop.signal });
  }

  get connections(): number {
    return this.#lanes.size;
  }

  /**
   * Takes a connection of this session, on which both ends have said who they are. Unless it `joins` the others the sender
   * has lost them, even where this end has not heard of it yet.
   */
  add(lane: Lane, joins = false): void {
    if (this.#stop.signal.aborted) {
      lane.cut();
      return;
    }
    const open: OpenLane = { lane, streams: new Map(), atWork: 0, full: 0, early: 0 };
    const lost = joins ? [] : [...this.#lanes];
    this.#lanes.add(open);
    for (const each of lost) each.lane.cut();
    if (lost.length > 0) this.#leave();
    lane.start({
      onFrame: (kind, id, body) => this.#take(open, kind, id, body),
      onBytes: (id, bytes) => {
        open.streams.get(id)?.incoming.take(bytes);
        this.#pace(open, bytes.length);
      },
      onGone: (error) => void this.#gone(open, error),
      onDrain: () => this.#throttle(open),
    });
  }

  /** Ends all of it; what can be gone on with later is kept. */
  async close(): Promise<void> {
    this.#stop.abort(new XferError('DISCONNECTED', 'receive: the receiver ended'));
    const lanes = [...this.#lanes];
    for (const { lane } of lanes) lane.cut();
    await Promise.all(lanes.map(({ lane }) => lane.closed));
    await this.#leaving;
  }

  async #gone(open: OpenLane, error: XferError): Promise<void> {
    this.#lanes.delete(open);
    for (const id of [...open.streams.keys()]) this.#abandon(open, id);
    if (this.#lanes.size > 0) return;
    this.#leave();
    await this.#leaving;
    if (this.#lanes.size > 0) return;
    if (this.#farewell) this.onFarewell?.(this.#farewell);
    else if (!this.#stop.signal.aborted) this.onLost?.(error);
  }

  /** No connection is left of those that there were: what they asked for ends, and then their drafts are left for later. */
  #leave(): void {
    const before = [this.#leaving, ...this.#works];
    this.#leaving = Promise.allSettled(before).then(() => this.#drafts.suspendAll());
  }

  #take(open: OpenLane, kind: FrameKind, id: number, body: Buffer): void {
    if (kind === FRAME.ping) return;
    if (kind === FRAME.end) open.streams.get(id)?.incoming.end();
    else if (kind === FRAME.abort) this.#abandon(open, id);
    else if (kind === FRAME.write) this.#begin(open, id, body);
    else if (kind === FRAME.lanes) this.#moreLanes(body);
    else if (kind === FRAME.failed && id === 0) open.lane.cut(decodeFailure(body));
    else {
      if (kind === FRAME.put) this.#pace(open, body.length);
      this.#answer(open, kind, id, Buffer.from(body));
    }
  }

  #answer(open: OpenLane, kind: FrameKind, id: number, body: Buffer): void {
    open.atWork += 1;
    this.#throttle(open);
    const work = this.#work(open, kind, new BodyReader(body)).then(
      (answer) => open.lane.send(FRAME.done, id, answer ?? Buffer.alloc(0)),
      (thrown: unknown) => this.#fail(open, id, toXferError(thrown, 'receive')),
    );
    if (kind !== FRAME.offer) this.#works.add(work);
    void work.finally(() => {
      this.#works.delete(work);
      open.atWork -= 1;
      this.#throttle(open);
      if (kind === FRAME.bye && this.#farewell) for (const { lane } of this.#lanes) lane.finish();
    });
  }

  /** A sender that breaks the protocol is told so, and that is the end of the connection. */
  #fail(open: OpenLane, id: number, error: XferError): void {
    if (error.code === 'PROTOCOL') open.lane.refuse(error);
    else open.lane.send(FRAME.failed, id, encodeFailure(error));
  }

  async #work(open: OpenLane, kind: FrameKind, body: BodyReader): Promise<Buffer | undefined> {
    const before = this.#leaving;
    await before;
    if (open.lane.failure) throw open.lane.failure;
    if (kind === FRAME.offer) return this.#answers.offer(body);
    if (kind === FRAME.bye) return this.#bye(body);
    return this.#answers.answer(kind, body);
  }

  #moreLanes(bytes: Buffer): void {
    const body = new BodyReader(bytes);
    const count = body.u8();
    body.end();
    this.onLanes?.(Math.min(count, MOST_LANES));
  }

  async #bye(body: BodyReader): Promise<undefined> {
    const farewell = { files: body.u64(), bytes: body.u64(), failures: body.u64() };
    body.end();
    this.#answers.checkAccepted();
    this.#farewell = farewell;
  }

  #begin(open: OpenLane, id: number, bytes: Buffer): void {
    const body = new BodyReader(bytes);
    const [number, start] = [body.u32(), body.u64()];
    body.end();
    if (open.streams.has(id) || open.streams.size >= MOST_STREAMS) {
      throw new XferError('PROTOCOL', `stream ${id}: open already, or one too many`);
    }
    const file = this.#drafts.get(number);
    const { size, path } = file.entry;
    const range = { start, size, label: path, hashed: file.hashes(start) };
    const incoming: Incoming = new Incoming(file.draft.write(start, { signal: this.#stop.signal }), range, {
      onFull: () => this.#count(open, 1),
      onDrain: () => this.#count(open, -1),
      onHeld: (held) => this.#held(open, id, path, held),
      onDone: () => this.#streamEnded(open, id),
      onFailed: (error) => this.#streamEnded(open, id, error),
    });
    file.add(incoming);
    open.streams.set(id, { file, incoming });
  }

  #held(open: OpenLane, id: number, path: string, bytes: number): void {
    open.lane.send(FRAME.held, id, new BodyWriter().u64(bytes).bytes());
    this.#events.onBytes?.(path, bytes);
  }

  #streamEnded(open: OpenLane, id: number, error?: XferError): void {
    const stream = open.streams.get(id);
    if (!stream) return;
    open.streams.delete(id);
    stream.file.remove(stream.incoming);
    if (error) {
      this.#events.onFailed?.(stream.file.entry.path, error);
      this.#fail(open, id, error);
    } else open.lane.send(FRAME.done, id);
  }

  /** Nobody sends the rest of a stream. */
  #abandon(open: OpenLane, id: number): void {
    const stream = open.streams.get(id);
    if (!stream) return;
    open.streams.delete(id);
    const stopped = stream.incoming.stop().then(() => stream.file.remove(stream.incoming));
    this.#works.add(stopped);
    void stopped.finally(() => this.#works.delete(stopped));
  }

  #count(open: OpenLane, full: 1 | -1): void {
    open.full += full;
    this.#throttle(open);
  }

  /** Bytes came that count against the rate. */
  #pace(open: OpenLane, bytes: number): void {
    if (!this.#admit) return;
    open.early += 1;
    this.#throttle(open);
    const inTime = () => {
      open.early -= 1;
      this.#throttle(open);
    };
    this.#admit(bytes, this.#stop.signal).then(inTime, inTime);
  }

  /** Reads on only while all that came can be worked on, is not too early, and the answers are read. */
  #throttle(open: OpenLane): void {
    const isBehind = open.full > 0 || open.early > 0 || open.atWork >= MOST_AT_WORK;
    if (isBehind || open.lane.pendingBytes > MOST_UNREAD_BYTES) open.lane.pause();
    else open.lane.resume();
  }
}
