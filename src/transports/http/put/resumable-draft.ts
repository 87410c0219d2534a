/** A file on its way to a server that lets it go on after a break. */
import type { Writable } from 'node:stream';
import { throwIfAborted, XferError } from '../../../errors.js';
import type { ByteRange, DigestAlgorithm, Draft, Entry, Scope } from '../../../transport.js';
import { describeUrl } from '../client/describe-url.js';
import { EarlyAnswer } from './body-request.js';
import { Comparison } from './comparison.js';
import { checkRoom, checkWhole } from './given-bytes.js';
import { PartWriter } from './part-writer.js';
import { isSuccess, type Part, type Proof, type ResumableProtocol, removeAtOnce, type Target } from './protocol.js';
import type { PutClient } from './put-client.js';
import type { UploadNotes } from './upload-notes.js';

/** Before more is sent than was noted, the note is written anew: so often at most. */
const NOTE_BYTES = 256 << 20;

export interface ResumableTerms {
  readonly client: PutClient;
  readonly target: Target;
  readonly protocol: ResumableProtocol;
  readonly notes: UploadNotes;
  /** Of the file, its version and its target. */
  readonly key: string;
  /** The draft is kept for a later process. */
  readonly lasting: boolean;
  /** Most bytes of one request. */
  readonly partBytes: number;
  /** Of an upload that was broken off. */
  readonly place?: URL | undefined;
  readonly offset: number;
  readonly done: boolean;
  /** Called once the file has its name; CORRUPT where it is not what it should be. */
  readonly prove: (proof: Proof, scope: Scope) => Promise<void>;
}

export class ResumableDraft implements Draft {
  readonly held: readonly ByteRange[];
  readonly #terms: ResumableTerms;
  #place: URL | undefined;
  /** Bytes that the far side holds, as it said itself. */
  #offset: number;
  #done: boolean;
  /** Bytes of the file that were given, the last ones that are held back among them. */
  #given = 0;
  #last: Buffer = Buffer.alloc(0);
  #noted = 0;
  #mostSent: number;
  #noting: Promise<void> = Promise.resolve();
  #part: (Part & { left: number }) | undefined;
  #proof: Proof | undefined;
  #same: Comparison | undefined;

  constructor(terms: ResumableTerms) {
    this.#terms = terms;
    this.#place = terms.place;
    this.#offset = terms.offset;
    this.#mostSent = terms.offset;
    this.#done = terms.done;
    this.held = terms.offset > 0 ? [{ start: 0, end: terms.offset }] : [];
  }

  /** UNSUPPORTED for a start beyond what is held: nothing may be missing between. */
  async write(start: number, scope: Scope): Promise<Writable> {
    throwIfAborted(scope.signal);
    const { target } = this.#terms;
    if (start > this.#offset + this.#last.length) {
      throw new XferError('UNSUPPORTED', `put ${describeUrl(target.url)}: bytes in the middle cannot be written`);
    }
    this.#given = start;
    const parts = {
      take: (chunk: Buffer, onHeld: (bytes: number) => void, scoped: Scope) => this.#take(chunk, onHeld, scoped),
      finish: (onHeld: (bytes: number) => void, scoped: Scope) => this.#finish(onHeld, scoped),
    };
    return new PartWriter(scope, parts, target.url);
  }

  async #take(given: Buffer, onHeld: (bytes: number) => void, scope: Scope): Promise<void> {
    const { target, protocol } = this.#terms;
    const { size } = target;
    if (this.#same) return this.#compare(given, onHeld);
    let chunk = this.#withoutHeld(given, onHeld);
    checkRoom(target.url, this.#given + chunk.length, size);
    const last = size === undefined ? 0 : Math.max(0, this.#given + chunk.length - (size - protocol.heldBackBytes));
    // What is written may be overwritten by its reader once it was taken.
    if (last > 0) this.#last = Buffer.from(chunk.subarray(chunk.length - last));
    chunk = chunk.subarray(0, chunk.length - last);
    while (chunk.length > 0) {
      const part = this.#part ?? (await this.#openPart(scope));
      if (!part) return this.#compare(given, onHeld);
      const piece = chunk.subarray(0, part.left);
      this.#mostSent = Math.max(this.#mostSent, this.#given + piece.length);
      await this.#note(this.#mostSent);
      await part.request.write(piece).catch((error: unknown) => this.#explain(error));
      part.left -= piece.length;
      this.#given += piece.length;
      chunk = chunk.subarray(piece.length);
      onHeld(piece.length);
      if (part.left === 0) await this.#endPart();
    }
    this.#given += last;
  }

  /** The far side may hold more than was known of it. */
  #withoutHeld(chunk: Buffer, onHeld: (bytes: number) => void): Buffer {
    const known = this.#part ? 0 : Math.min(chunk.length, Math.max(0, this.#offset - this.#given));
    this.#given += known;
    if (known > 0) onHeld(known);
    return chunk.subarray(known);
  }

  #compare(given: Buffer, onHeld: (bytes: number) => void): void {
    this.#same?.take(given);
    this.#given += given.length;
    onHeld(given.length);
  }

  /** Undefined where something has the name that may be this very file. */
  async #openPart(scope: Scope): Promise<(Part & { left: number }) | undefined> {
    const { client, target, protocol, partBytes } = this.#terms;
    const start = this.#given;
    const missing = target.size === undefined ? undefined : target.size - protocol.heldBackBytes - start;
    const lengthBytes = missing === undefined ? undefined : Math.min(missing, partBytes);
    const opening = protocol.openPart(target, this.#place, start, lengthBytes, this.#onPlace, scope);
    const request = await opening.catch(async (error: unknown) => {
      if (start > 0 || this.#place) throw error;
      this.#same = await Comparison.after(error, target, client, scope);
      this.#last = Buffer.alloc(0);
    });
    if (!request) return undefined;
    this.#part = { start, request, left: missing === undefined ? partBytes : (lengthBytes as number) };
    return this.#part;
  }

  readonly #onPlace = (place: URL): void => {
    this.#place ??= place;
  };

  /** Before the bytes go: of an upload that is found again, nothing is believed beyond it. */
  async #note(mostBytes: number): Promise<void> {
    const { notes, key, lasting, protocol } = this.#terms;
    if (!this.#place || mostBytes <= this.#noted) return;
    this.#noted = mostBytes + NOTE_BYTES;
    const note = { place: this.#place, protocol: protocol.name, mostSentBytes: this.#noted };
    this.#noting = notes.keep(key, note, lasting);
    await this.#noting;
  }

  async #explain(error: unknown): Promise<never> {
    if (!(error instanceof EarlyAnswer)) throw error;
    const { target, protocol } = this.#terms;
    const part = this.#part as Part;
    if (!isSuccess(error.answered)) await protocol.partDone(target, part, this.#given, error.answered, this.#onPlace);
    const { status } = error.answered;
    throw new XferError('PROTOCOL', `put ${describeUrl(target.url)}: the server says ${status} before it had it all`);
  }

  async #endPart(): Promise<void> {
    const part = this.#part;
    if (!part) return;
    const { target, protocol } = this.#terms;
    part.request.end();
    const answered = await part.request.answer;
    const held = await protocol.partDone(target, part, this.#given, answered, this.#onPlace);
    this.#part = undefined;
    this.#offset = held.offset;
    this.#done = held.done;
    await this.#note(this.#offset);
    if (this.#place || (held.done && this.#offset === target.size)) return;
    // One that knows nothing of uploads that go on has taken the request for all of the file.
    if (this.#offset === target.size) this.#done = true;
    else
      throw new XferError(
        'PROTOCOL',
        `put ${describeUrl(target.url)}: the server does not say where the upload goes on`,
      );
  }

  async #finish(onHeld: (bytes: number) => void, scope: Scope): Promise<void> {
    const part = this.#part;
    if (part && part.left > 0 && part.request.isBound) await this.#breakOff(scope);
    else await this.#endPart();
    if (this.#last.length > 0) onHeld(this.#last.length);
  }

  /** Fewer bytes were given than were announced: what of them arrived only the server can tell. */
  async #breakOff(scope: Scope): Promise<void> {
    const { target, protocol } = this.#terms;
    this.#stop();
    const held = this.#place && (await protocol.ask(target, this.#place, scope));
    this.#offset = held?.offset ?? 0;
    if (this.#offset === this.#given) return;
    const label = describeUrl(target.url);
    throw new XferError('DISCONNECTED', `put ${label}: ${this.#offset} of ${this.#given} bytes had arrived at its end`);
  }

  #stop(): void {
    this.#part?.request.stop();
    this.#part = undefined;
  }

  /** The digest that the file is to have: the far side is told, and `commit` is CORRUPT where it has another. */
  async expect(algorithm: DigestAlgorithm, hex: string): Promise<void> {
    this.#proof = { algorithm, hex };
  }

  async commit(entry: Entry, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    const { target, protocol, notes, key, prove } = this.#terms;
    const size = entry.size ?? this.#given;
    const there = Math.max(this.#offset, this.#given);
    checkWhole(target.url, there, size);
    this.#same?.end();
    if (!this.#done && !this.#same) {
      await protocol.complete(target, this.#place, this.#offset, this.#last, this.#proof, scope);
    }
    this.#done = true;
    await notes.forget(key);
    if (this.#proof) await prove(this.#proof, scope);
  }

  async suspend(): Promise<void> {
    const { lasting, notes, key, protocol } = this.#terms;
    if (!lasting) return this.discard();
    this.#stop();
    await this.#noting.catch(() => undefined);
    if (this.#place)
      notes.remember(key, { place: this.#place, protocol: protocol.name, mostSentBytes: this.#mostSent });
  }

  async discard(): Promise<void> {
    const { notes, key, protocol } = this.#terms;
    this.#stop();
    await this.#noting.catch(() => undefined);
    await notes.forget(key);
    if (!this.#place || this.#done) return;
    await removeAtOnce(protocol, this.#place);
    this.#place = undefined;
  }
}
