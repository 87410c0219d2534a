/** One sender's session, on however many connections: its requests, in bounds, against the sink. */
import { toXferError, XferError } from '../../../../errors.js';
import type { Scope, Sink } from '../../../../transport.js';
import { BodyReader, BodyWriter } from '../body.js';
import { FRAME, type FrameKind } from '../frame.js';
import type { Lane } from '../lane.js';
import { checkPath, decodeOffer, encodeFailure, encodeRanges, type Offer, readEntry, writeEntry } from '../messages.js';
import { Drafts, type IncomingFile } from './drafts.js';
import { Incoming } from './incoming.js';
import { checkLink, checkName, type ReceivePolicy, safeEntry } from './policy.js';

/** Requests being worked on, of one connection; beyond it no more are read until some are done. */
const MOST_AT_WORK = 128;
/** Streams open at once on one connection. */
const MOST_STREAMS = 600;

export interface ReceiveEvents {
  /** Says whether what is offered is taken; may ask a person. */
  readonly onOffer: (offer: Offer, scope: Scope) => Promise<boolean>;
  readonly onStart?: (path: string, size: number | undefined, heldBytes: number) => void;
  /** So many further bytes are held of a file. */
  readonly onBytes?: (path: string, bytes: number) => void;
  readonly onFile?: (path: string, bytes: number, digest: string | undefined) => void;
  readonly onMade?: (path: string, kind: 'directory' | 'symlink') => void;
  /** Something could not be taken. The sender knows. */
  readonly onFailed?: (path: string, error: XferError) => void;
  /** The offer was not taken, and the sender, which ends then, was told why. */
  readonly onRefused?: (error: XferError) => void;
  /** The last connection was lost; the sender may come back. */
  readonly onLost?: (error: XferError) => void;
  readonly onFarewell?: (farewell: Farewell) => void;
}

/** How a sender says its copy went. */
export interface Farewell {
  readonly files: number;
  readonly bytes: number;
  readonly failures: number;
}

interface OpenLane {
  readonly lane: Lane;
  readonly streams: Map<number, Incoming>;
  atWork: number;
  /** Streams that cannot take more now. */
  full: number;
}

export class ReceiveSession {
  /** Called when the last connection is gone before a farewell. */
  onLost: ((error: XferError) => void) | undefined;
  /** Called when the sender said that all is done, and knows that we know. */
  onFarewell: ((farewell: Farewell) => void) | undefined;
  /** The sender wants so many more connections, where it cannot make them. */
  onLanes: ((count: number) => void) | undefined;
  readonly #sink: Sink;
  readonly #policy: ReceivePolicy;
  readonly #events: ReceiveEvents;
  readonly #drafts: Drafts;
  readonly #lanes = new Set<OpenLane>();
  readonly #stop = new AbortController();
  #accepted: Promise<void> | undefined;
  #isAccepted = false;
  #tops: ReadonlySet<string> | undefined;
  #suspending: Promise<void> = Promise.resolve();
  #farewell: Farewell | undefined;

  constructor(sink: Sink, policy: ReceivePolicy, events: ReceiveEvents) {
    this.#sink = sink;
    this.#policy = policy;
    this.#events = events;
    this.#drafts = new Drafts(sink, policy);
  }

  get connections(): number {
    return this.#lanes.size;
  }

  /** Takes a connection of this session, on which both ends have said who they are. */
  add(lane: Lane): void {
    const open: OpenLane = { lane, streams: new Map(), atWork: 0, full: 0 };
    this.#lanes.add(open);
    lane.start({
      onFrame: (kind, id, body) => this.#take(open, kind, id, body),
      onBytes: (id, bytes) => open.streams.get(id)?.take(bytes),
      onGone: (error) => void this.#gone(open, error),
    });
  }

  /** Ends all of it; what can be gone on with later is kept. */
  async close(): Promise<void> {
    this.#stop.abort(new XferError('DISCONNECTED', 'receive: the receiver ended'));
    const lanes = [...this.#lanes];
    for (const { lane } of lanes) lane.cut();
    await Promise.all(lanes.map(({ lane }) => lane.closed));
    await this.#suspending;
  }

  async #gone(open: OpenLane, error: XferError): Promise<void> {
    this.#lanes.delete(open);
    const streams = [...open.streams.values()];
    open.streams.clear();
    const stopped = Promise.all(streams.map((incoming) => incoming.stop()));
    const isLast = this.#lanes.size === 0;
    this.#suspending = Promise.all([this.#suspending, stopped]).then(async () => {
      if (isLast && this.#lanes.size === 0) await this.#drafts.suspendAll();
    });
    await this.#suspending;
    if (!isLast) return;
    if (this.#farewell) this.onFarewell?.(this.#farewell);
    else this.onLost?.(error);
  }

  #take(open: OpenLane, kind: FrameKind, id: number, body: Buffer): void {
    if (kind === FRAME.ping) return;
    if (kind === FRAME.end || kind === FRAME.abort) this.#endStream(open, kind, id);
    else if (kind === FRAME.write) this.#begin(open, id, Buffer.from(body));
    else void this.#answer(open, kind, id, Buffer.from(body));
  }

  async #answer(open: OpenLane, kind: FrameKind, id: number, body: Buffer): Promise<void> {
    open.atWork += 1;
    this.#throttle(open);
    try {
      const answer = await this.#work(kind, new BodyReader(body), open);
      open.lane.send(FRAME.done, id, answer ?? Buffer.alloc(0));
      if (kind === FRAME.bye) open.lane.finish();
    } catch (thrown) {
      const error = toXferError(thrown, 'receive');
      if (error.code === 'PROTOCOL') open.lane.cut(error);
      else open.lane.send(FRAME.failed, id, encodeFailure(error));
    } finally {
      open.atWork -= 1;
      this.#throttle(open);
    }
  }

  async #work(kind: FrameKind, body: BodyReader, { lane }: OpenLane): Promise<Buffer | undefined> {
    if (kind === FRAME.offer) return this.#offered(body);
    if (!this.#isAccepted) throw new XferError('PROTOCOL', `connection ${lane.label}: asks before its offer was taken`);
    switch (kind) {
      case FRAME.stat:
        return this.#stat(body);
      case FRAME.create:
        return this.#create(body);
      case FRAME.finish:
        return this.#finish(body);
      case FRAME.put:
        return this.#put(body);
      case FRAME.draft:
        return this.#draft(body);
      case FRAME.digest:
        return this.#digest(body);
      case FRAME.commit:
        return this.#commit(body);
      case FRAME.suspend:
        return this.#end(body, (file) => file.draft.suspend());
      case FRAME.discard:
        return this.#end(body, (file) => file.draft.discard());
      case FRAME.lanes:
        return this.#moreLanes(body);
      case FRAME.bye:
        return this.#bye(body);
      default:
        throw new XferError('PROTOCOL', `connection ${lane.label}: a sender does not send frames of kind ${kind}`);
    }
  }

  get #scope(): Scope {
    return { signal: this.#stop.signal };
  }

  async #offered(body: BodyReader): Promise<undefined> {
    const offer = decodeOffer(body.rest());
    await this.#suspending;
    // A sender that comes back offers the same again, and a person is asked once.
    this.#accepted ??= this.#decide(offer).catch((error: unknown) => {
      this.#events.onRefused?.(toXferError(error, 'receive'));
      throw error;
    });
    await this.#accepted;
    return undefined;
  }

  async #decide(offer: Offer): Promise<void> {
    for (const { name } of offer.things) if (name !== '') checkName(name, this.#policy);
    if (!(await this.#events.onOffer(offer, this.#scope))) {
      throw new XferError('DENIED', 'send: the person there refused it');
    }
    const all = offer.things.length === offer.count && offer.things.every(({ name }) => name !== '');
    this.#tops = all ? new Set(offer.things.map(({ name }) => name)) : undefined;
    this.#isAccepted = true;
  }

  async #stat(body: BodyReader): Promise<Buffer> {
    const path = body.text();
    body.end();
    checkPath(path);
    if (path !== '') this.#checkName(path);
    const entry = await this.#sink.stat(path, this.#scope);
    if (!entry) return new BodyWriter().u8(0).bytes();
    const { version: _, identity: __, ...told } = entry;
    return writeEntry(new BodyWriter().u8(1), { ...told, path }).bytes();
  }

  async #create(body: BodyReader): Promise<undefined> {
    const entry = safeEntry(readEntry(body));
    body.end();
    const { kind, path } = entry;
    if (kind === 'file') throw new XferError('PROTOCOL', `create ${path}: a file is made by its draft`);
    await this.#watched(path, async () => {
      this.#checkName(path);
      if (kind === 'symlink') checkLink(entry);
      await this.#sink.create(entry, this.#scope);
    });
    this.#events.onMade?.(path, kind);
  }

  async #finish(body: BodyReader): Promise<undefined> {
    const entry = safeEntry(readEntry(body));
    body.end();
    // The directory that is received into is the receiver's own.
    if (entry.path === '') return undefined;
    this.#checkName(entry.path);
    await this.#sink.finish?.(entry, this.#scope);
    return undefined;
  }

  async #put(body: BodyReader): Promise<undefined> {
    const exact = body.u8() === 1;
    const digest = body.raw(32);
    const entry = readEntry(body);
    const bytes = body.rest();
    await this.#watched(entry.path, () => {
      this.#checkName(entry.path);
      return this.#drafts.put(entry, bytes, exact, digest, this.#scope);
    });
    this.#events.onFile?.(entry.path, bytes.length, digest.toString('hex'));
  }

  async #draft(body: BodyReader): Promise<Buffer> {
    const entry = readEntry(body);
    body.end();
    const { number, file } = await this.#watched(entry.path, () => {
      this.#checkName(entry.path);
      return this.#drafts.open(entry, this.#scope);
    });
    const heldBytes = file.draft.held.reduce((sum, { start, end = start }) => sum + end - start, 0);
    this.#events.onStart?.(entry.path, entry.size, heldBytes);
    const flags = (file.draft.inOrder ? 1 : 0) | (file.there ? 2 : 0);
    const head = new BodyWriter().u32(number).u8(flags).bytes();
    return Buffer.concat([head, encodeRanges(file.draft.held)]);
  }

  async #digest(body: BodyReader): Promise<Buffer> {
    const file = this.#drafts.get(body.u32());
    body.end();
    const { hex, readBack } = await file.digest(this.#scope);
    return new BodyWriter()
      .u8(readBack ? 1 : 0)
      .raw(Buffer.from(hex, 'hex'))
      .bytes();
  }

  async #commit(body: BodyReader): Promise<undefined> {
    const number = body.u32();
    const entry = safeEntry(readEntry(body));
    body.end();
    const { path } = this.#drafts.get(number).entry;
    if (entry.path !== path) throw new XferError('PROTOCOL', `commit ${entry.path}: its draft was of ${path}`);
    let digest: string | undefined;
    await this.#watched(path, () =>
      this.#drafts.end(number, async (file) => {
        digest = file.passedHex;
        await file.draft.commit(entry, this.#scope);
      }),
    );
    this.#events.onFile?.(path, entry.size ?? 0, digest);
  }

  async #end(body: BodyReader, how: (file: IncomingFile) => Promise<void>): Promise<undefined> {
    const number = body.u32();
    body.end();
    await this.#drafts.end(number, how);
  }

  async #moreLanes(body: BodyReader): Promise<undefined> {
    const count = body.u8();
    body.end();
    this.onLanes?.(count);
  }

  async #bye(body: BodyReader): Promise<undefined> {
    const [files, bytes, failures] = [body.u64(), body.u64(), body.u64()];
    body.end();
    this.#farewell = { files, bytes, failures };
  }

  #checkName(path: string): void {
    const top = path.split('/', 1)[0] as string;
    if (this.#tops && path !== '' && !this.#tops.has(top)) {
      throw new XferError('PROTOCOL', `name ${path}: ${top} was not offered`);
    }
    if (path !== '') checkName(path, this.#policy);
  }

  /** A failure of one thing is told to both ends. */
  async #watched<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      const error = toXferError(thrown, `receive ${path}`);
      if (!this.#stop.signal.aborted) this.#events.onFailed?.(path, error);
      throw error;
    }
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
    const incoming: Incoming = new Incoming(file.draft.write(start, this.#scope), range, {
      onFull: () => this.#count(open, 1),
      onDrain: () => this.#count(open, -1),
      onHeld: (held) => this.#held(open, id, path, held),
      onDone: () => this.#streamEnded(open, id, file, incoming),
      onFailed: (error) => this.#streamEnded(open, id, file, incoming, error),
    });
    file.add(incoming);
    open.streams.set(id, incoming);
  }

  #held(open: OpenLane, id: number, path: string, bytes: number): void {
    open.lane.send(FRAME.held, id, new BodyWriter().u64(bytes).bytes());
    this.#events.onBytes?.(path, bytes);
  }

  #streamEnded(open: OpenLane, id: number, file: IncomingFile, incoming: Incoming, error?: XferError): void {
    file.incoming.delete(incoming);
    open.streams.delete(id);
    if (error) {
      this.#events.onFailed?.(file.entry.path, error);
      open.lane.send(FRAME.failed, id, encodeFailure(error));
    } else open.lane.send(FRAME.done, id);
  }

  #endStream(open: OpenLane, kind: FrameKind, id: number): void {
    const incoming = open.streams.get(id);
    if (kind === FRAME.end) incoming?.end();
    else {
      open.streams.delete(id);
      void incoming?.stop();
    }
  }

  #count(open: OpenLane, full: 1 | -1): void {
    open.full += full;
    this.#throttle(open);
  }

  /** Reads on only while all that came can be worked on. */
  #throttle(open: OpenLane): void {
    if (open.full > 0 || open.atWork >= MOST_AT_WORK) open.lane.pause();
    else open.lane.resume();
  }
}
