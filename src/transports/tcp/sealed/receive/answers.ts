/** What a sender asks for, against the sink, as far as the policy allows it. */
import { toXferError, XferError } from '../../../../errors.js';
import type { Scope, Sink } from '../../../../transport.js';
import { type BodyReader, BodyWriter } from '../body.js';
import { FRAME, type FrameKind } from '../frame.js';
import { checkPath, decodeOffer, encodeOffer, encodeRanges, type Offer, readEntry, writeEntry } from '../messages.js';
import type { Drafts, IncomingFile } from './drafts.js';
import { MadeDirectories } from './made-directories.js';
import { OfferedSizes } from './offered-sizes.js';
import { OfferedText } from './offered-text.js';
import { checkLink, checkName, type ReceivePolicy, safeEntry } from './policy.js';
import { readPut } from './put-body.js';
import type { ReceiveEvents } from './receive-events.js';

export class Answers {
  readonly #sink: Sink;
  readonly #policy: ReceivePolicy;
  readonly #events: ReceiveEvents;
  readonly #drafts: Drafts;
  readonly #scope: Scope;
  readonly #made: MadeDirectories;
  /** The offer that was decided on, encoded, and the decision. */
  #offered: { readonly bytes: Buffer; readonly accepted: Promise<void> } | undefined;
  #refused = false;
  #isAccepted = false;
  /** Names that all that comes is below; undefined where the offer did not name each, or names what becomes the target. */
  #tops: ReadonlySet<string> | undefined;
  #text: OfferedText | undefined;
  /** Absent where nobody was asked. */
  #sizes: OfferedSizes | undefined;

  constructor(sink: Sink, policy: ReceivePolicy, events: ReceiveEvents, drafts: Drafts, scope: Scope) {
    this.#sink = sink;
    this.#policy = policy;
    this.#events = events;
    this.#drafts = drafts;
    this.#scope = scope;
    this.#made = new MadeDirectories(sink, policy);
  }

  /** PROTOCOL where nothing may be asked yet. */
  checkAccepted(): void {
    if (!this.#isAccepted) throw new XferError('PROTOCOL', 'request: it came before its offer was taken');
  }

  /** A sender that comes back offers the same again, and a person is asked once. DENIED where it is not taken. */
  async offer(body: BodyReader): Promise<undefined> {
    const offer = decodeOffer(body.rest());
    const bytes = encodeOffer(offer);
    if (!this.#offered || (!this.#refused && !this.#offered.bytes.equals(bytes))) {
      this.#isAccepted = false;
      this.#offered = { bytes, accepted: this.#decide(offer) };
    }
    await this.#offered.accepted;
    return undefined;
  }

  async #decide(offer: Offer): Promise<void> {
    const names = offer.things.map(({ name }) => name);
    let becomesTarget = false;
    try {
      for (const name of names) if (name !== '') checkName(name, this.#policy);
      if (offer.count > 1) await this.#checkDirectory(offer.count);
      else becomesTarget = offer.things[0]?.kind === 'directory' && !(await this.#isDirectory());
      if (!(await this.#events.onOffer(offer, this.#scope))) {
        throw new XferError('DENIED', 'send: the person there refused it');
      }
    } catch (error) {
      this.#refused = true;
      this.#events.onRefused?.(toXferError(error, 'receive'));
      throw error;
    }
    const isAll = offer.things.length === offer.count && !names.includes('');
    this.#tops = isAll && !becomesTarget ? new Set(names) : undefined;
    const [first] = offer.things;
    this.#text = first?.kind === 'text' ? new OfferedText(first, this.#events) : undefined;
    this.#sizes = this.#policy.asOffered ? new OfferedSizes(offer) : undefined;
    this.#isAccepted = true;
  }

  /** NOT_FOUND where several things cannot have the target. */
  async #checkDirectory(count: number): Promise<void> {
    if (await this.#isDirectory()) return;
    throw new XferError('NOT_FOUND', `receive ${count} things: the target of the receiver is no directory`, {
      hint: 'let the receiver name a directory, or send one of them',
    });
  }

  async #isDirectory(): Promise<boolean> {
    return (await this.#sink.stat('', this.#scope))?.kind === 'directory';
  }

  /** The body of the answer, or undefined for an empty one. Rejects with what the sender is told; PROTOCOL ends it. */
  async answer(kind: FrameKind, body: BodyReader): Promise<Buffer | undefined> {
    this.checkAccepted();
    if (this.#text) return this.#text.answer(kind, body);
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
      default:
        throw new XferError('PROTOCOL', `frame of kind ${kind}: a sender does not send it`);
    }
  }

  async #stat(body: BodyReader): Promise<Buffer> {
    const path = body.text();
    body.end();
    checkPath(path);
    this.#checkName(path);
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
      this.#sizes?.check(entry);
      if (kind === 'symlink') {
        checkLink(entry);
        await this.#sink.create(entry, this.#scope);
      } else await this.#made.create(entry, this.#scope);
    });
    this.#events.onMade?.(path, kind);
  }

  async #finish(body: BodyReader): Promise<undefined> {
    const entry = safeEntry(readEntry(body));
    body.end();
    this.#checkName(entry.path);
    await this.#made.finish(entry, this.#scope);
  }

  async #put(body: BodyReader): Promise<undefined> {
    const put = readPut(body);
    const { path } = put.entry;
    await this.#watched(path, async () => {
      this.#checkName(path);
      this.#sizes?.check({ ...put.entry, size: put.bytes.length });
      await this.#drafts.put(put, this.#scope);
    });
    this.#events.onFile?.(path, put.bytes.length, put.digest.toString('hex'));
  }

  async #draft(body: BodyReader): Promise<Buffer> {
    const entry = readEntry(body);
    body.end();
    const { number, file } = await this.#watched(entry.path, async () => {
      this.#checkName(entry.path);
      this.#sizes?.check(entry);
      return this.#drafts.open(entry, this.#scope);
    });
    const { held, inOrder } = file.draft;
    const heldBytes = held.reduce((sum, { start, end = start }) => sum + end - start, 0);
    this.#events.onStart?.(entry.path, entry.size, heldBytes);
    const head = new BodyWriter().u32(number).u8((inOrder ? 1 : 0) | (file.there ? 2 : 0));
    return head.raw(encodeRanges(held)).bytes();
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
    const { path, size } = this.#drafts.get(number).entry;
    if (entry.path !== path || entry.kind !== 'file' || (size !== undefined && entry.size !== size)) {
      throw new XferError('PROTOCOL', `commit ${entry.path}: its draft was of ${size ?? 'unknown'} bytes of ${path}`);
    }
    const digest = await this.#watched(path, () => this.#drafts.commit(number, entry, this.#scope));
    this.#events.onFile?.(path, entry.size ?? 0, digest);
  }

  async #end(body: BodyReader, how: (file: IncomingFile) => Promise<void>): Promise<undefined> {
    const number = body.u32();
    body.end();
    await this.#drafts.end(number, how);
  }

  #checkName(path: string): void {
    if (path === '') return;
    const top = path.split('/', 1)[0] as string;
    if (this.#tops && !this.#tops.has(top)) throw new XferError('PROTOCOL', `name ${path}: ${top} was not offered`);
    checkName(path, this.#policy);
  }

  /** A failure of one thing is told to both ends. */
  async #watched<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      const error = toXferError(thrown, `receive ${path}`);
      if (!this.#scope.signal.aborted) this.#events.onFailed?.(path, error);
      throw error;
    }
  }
}
