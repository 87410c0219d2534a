/** The bytes of one range on their way from a sender into a draft. */
import { createHash, type Hash } from 'node:crypto';
import type { Writable } from 'node:stream';
import type { AtOnce } from '../../../../concurrency/at-once.js';
import { toXferError, XferError } from '../../../../errors.js';

export interface IncomingEvents {
  /** No more is to come until `onDrain`. */
  readonly onFull: () => void;
  readonly onDrain: () => void;
  /** So many further bytes are held. */
  readonly onHeld: (bytes: number) => void;
  /** Everything is held. */
  readonly onDone: () => void;
  readonly onFailed: (error: XferError) => void;
}

export interface IncomingRange {
  readonly start: number;
  /** Of the whole file, where that is known: no byte goes behind it. */
  readonly size: number | undefined;
  /** For messages. */
  readonly label: string;
  /** The SHA-256 of what passes is wanted. */
  readonly hashed: boolean;
}

/** Full from the first, until its stream is there; what comes meanwhile waits. */
export class Incoming {
  readonly hash: Hash | undefined;
  readonly #range: IncomingRange;
  readonly #events: IncomingEvents;
  readonly #waiting: Buffer[] = [];
  #writable: Writable | undefined;
  /** Where the next byte goes. */
  #at: number;
  #full = true;
  #ends = false;
  #settled = false;
  #whole = false;
  readonly #closed: Promise<void>;

  constructor(opening: Promise<Writable>, range: IncomingRange, events: IncomingEvents) {
    this.#range = range;
    this.#events = events;
    this.#at = range.start;
    this.hash = range.hashed ? createHash('sha256') : undefined;
    events.onFull();
    this.#closed = opening.then(
      (writable) => this.#open(writable),
      (error: unknown) => this.#fail(error),
    );
  }

  get at(): number {
    return this.#at;
  }

  /** All that the sender had for it is held. */
  get isWhole(): boolean {
    return this.#whole;
  }

  take(bytes: Buffer): void {
    if (this.#settled || this.#ends) return;
    const { size = Number.POSITIVE_INFINITY, label } = this.#range;
    if (this.#at + bytes.length > size) {
      this.#fail(new XferError('CORRUPT', `write ${label}: more than the announced ${size} bytes came`));
      return;
    }
    this.#at += bytes.length;
    this.hash?.update(bytes);
    if (!this.#writable) this.#waiting.push(bytes);
    else if (!this.#writable.write(bytes) && !this.#full) {
      this.#full = true;
      this.#events.onFull();
    }
  }

  /** No more comes. */
  end(): void {
    this.#ends = true;
    this.#writable?.end();
  }

  /** Stops; what was written so far is held. Resolves when nothing is written any more. */
  async stop(): Promise<void> {
    this.#settle(() => {});
    this.#destroy();
    await this.#closed;
  }

  /** Resolves when the stream has closed. */
  #open(writable: Writable): Promise<void> {
    const closed = new Promise<void>((resolve) => writable.once('close', resolve));
    this.#writable = writable;
    (writable as Partial<AtOnce>).workAtOnce?.();
    if (this.#settled) {
      this.#destroy();
      return closed;
    }
    writable.on('held', (bytes: number) => {
      if (!this.#settled) this.#events.onHeld(bytes);
    });
    writable.on('drain', () => this.#drain());
    writable.on('error', (error) => this.#fail(error));
    writable.once('close', () => {
      if (writable.writableFinished) this.#finish();
      else this.#fail(new XferError('DISCONNECTED', `write ${this.#range.label}: ended early`));
    });
    const more = this.#waiting.splice(0).reduce((_, bytes) => writable.write(bytes), true);
    if (this.#ends) writable.end();
    if (more) this.#drain();
    return closed;
  }

  #finish(): void {
    this.#whole = !this.#settled;
    this.#settle(this.#events.onDone);
  }

  #drain(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#events.onDrain();
  }

  #fail(error: unknown): void {
    this.#settle(() => this.#events.onFailed(toXferError(error, `write ${this.#range.label}`)));
    this.#destroy();
  }

  #destroy(): void {
    this.#waiting.length = 0;
    this.#writable?.on('error', () => {}).destroy();
  }

  #settle(act: () => void): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#drain();
    act();
  }
}
