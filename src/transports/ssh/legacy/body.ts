import { Readable } from 'node:stream';
import { onAbort } from '../../../concurrency/on-abort.js';
import { XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';
import { farError, parseRecord } from './record.js';
import type { LegacyWire } from './wire.js';

const PIECE_BYTES = 256 * 1024;
/** Most that is read and thrown away for the sake of what follows a file that was given up. */
const MOST_DRAINED_BYTES = 256 * 1024 * 1024;

/**
 * The bytes of one file, and the sender's word after them. Fails with SOURCE_CHANGED or that word's own code where the
 * sender says that they are not the file's, DISCONNECTED, the signal's reason. Destroyed early it leaves the rest to `drain`.
 */
export class FileBody extends Readable {
  /** Why nothing more can be read after it. */
  broken: XferError | undefined;
  readonly #wire: LegacyWire;
  readonly #what: string;
  readonly #scope: Scope;
  readonly #free: () => void;
  #left: number;
  #judged = false;
  #busy: Promise<void> = Promise.resolve();

  constructor(wire: LegacyWire, size: number, what: string, scope: Scope) {
    super({ highWaterMark: 1024 * 1024 });
    this.#wire = wire;
    this.#left = size;
    this.#what = what;
    this.#scope = scope;
    this.#free = onAbort(scope.signal, () => this.destroy(scope.signal.reason));
  }

  override _read(): void {
    this.#busy = this.#next().catch((error: Error) => void this.destroy(error));
  }

  async #next(): Promise<void> {
    const bytes = this.#left > 0 ? await this.#take(this.#scope) : undefined;
    if (this.#left === 0 && !this.destroyed) await this.#judge(this.#scope);
    if (bytes) this.push(bytes);
    if (this.#left === 0) this.push(null);
  }

  async #take(scope: Scope): Promise<Buffer> {
    const bytes = await this.#wire.take(Math.min(this.#left, PIECE_BYTES), scope);
    if (!bytes) throw new XferError('DISCONNECTED', `${this.#what}: it ended ${this.#left} bytes early`);
    this.#left -= bytes.length;
    return bytes;
  }

  /** A sender fills up a file that it could not read to its end, and says so after it. */
  async #judge(scope: Scope): Promise<void> {
    if (this.#judged) return;
    this.#judged = true;
    const word = await this.#wire.byte(scope);
    if (word === 0) return;
    if (word === undefined) throw new XferError('DISCONNECTED', `${this.#what}: it ended without a word after it`);
    if (word !== 1 && word !== 2) {
      this.broken = new XferError('PROTOCOL', `${this.#what}: more bytes came than were announced`);
      throw this.broken;
    }
    const rest = (await this.#wire.line(scope)) ?? Buffer.alloc(0);
    const record = parseRecord(Buffer.concat([Buffer.of(word), rest]));
    const error = farError('read', 'text' in record ? record.text : '', 'SOURCE_CHANGED');
    if (word === 2) this.broken = error;
    throw error;
  }

  /** Takes what is left off the wire. DISCONNECTED where that is too much. */
  async drain(scope: Scope): Promise<void> {
    await this.#busy;
    if (this.#left > MOST_DRAINED_BYTES) {
      throw new XferError('DISCONNECTED', `${this.#what}: given up, and too long to be passed over`);
    }
    while (this.#left > 0) await this.#take(scope);
    // What the sender says of a file that was given up changes nothing.
    await this.#judge(scope).catch((error: unknown) => {
      if (this.broken || !(error instanceof XferError) || error.code === 'DISCONNECTED') throw error;
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#free();
    done(error);
  }
}
