/** One file on its way by the old scp protocol: announced when its first bytes are there, and never taken back. */
import { Writable } from 'node:stream';
import { onAbort } from '../../../concurrency/on-abort.js';
import { throwIfAborted, XferError } from '../../../errors.js';
import type { Draft, Entry, Scope } from '../../../transport.js';
import type { SendingSession } from './session.js';
import type { LegacyWire } from './wire.js';

export interface LegacyDraftOptions {
  /** For messages. */
  readonly label: string;
  readonly size: number;
  /** Goes to the file's directory and announces it. */
  readonly begin: (scope: Scope) => Promise<SendingSession>;
}

const FILLING = Buffer.alloc(64 * 1024);

export class LegacyDraft implements Draft {
  readonly held = [];
  readonly #options: LegacyDraftOptions;
  #session: SendingSession | undefined;
  #writer: FileWriter | undefined;
  #begun = false;
  #ended = false;

  constructor(options: LegacyDraftOptions) {
    this.#options = options;
  }

  /** UNSUPPORTED but for one write, from the start. */
  async write(start: number, scope: Scope): Promise<Writable> {
    throwIfAborted(scope.signal);
    const { label, size, begin } = this.#options;
    if (start !== 0 || this.#begun) {
      throw new XferError('UNSUPPORTED', `write ${label}: the old scp protocol takes a file once, from its start`);
    }
    this.#begun = true;
    this.#session = await begin(scope);
    this.#writer = new FileWriter(this.#session.wire, size, label, scope);
    return this.#writer;
  }

  async commit(entry: Entry, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    const { label, size } = this.#options;
    if (!this.#begun && size === 0) (await this.write(0, scope)).end();
    const sent = this.#writer?.sentBytes ?? 0;
    if (sent !== size || (entry.size ?? size) !== size) {
      throw new XferError('TRUNCATED', `write ${label}: ${sent} of ${entry.size ?? size} bytes were there to send`);
    }
    this.#ended = true;
    await this.#session?.conclude(undefined, scope);
  }

  async suspend(): Promise<void> {
    await this.discard();
  }

  /**
   * What was announced must come: it is filled up with zeros and called bad, as scp does, so that others can follow. Where the
   * copy was aborted, the session ends instead.
   */
  async discard(): Promise<void> {
    const [session, writer] = [this.#session, this.#writer];
    if (!session || !writer || this.#ended) return;
    this.#ended = true;
    writer.on('error', () => undefined).destroy();
    const { scope, leftBytes } = writer;
    if (scope.signal.aborted) return session.wire.cut();
    try {
      for (let left = leftBytes; left > 0; left -= FILLING.length) {
        await session.wire.write(FILLING.subarray(0, left), scope);
      }
      await session.conclude(`${this.#options.label}: the sender could not read it`, scope);
    } catch (error) {
      // That it is bad is known, and a receiver that is gone will be noticed by what is sent next.
      if (!(error instanceof XferError) && !scope.signal.aborted) throw error;
    }
  }
}

/** Passes on at most as many bytes as were announced. */
class FileWriter extends Writable {
  readonly scope: Scope;
  sentBytes = 0;
  readonly #wire: LegacyWire;
  readonly #size: number;
  readonly #label: string;
  readonly #free: () => void;

  constructor(wire: LegacyWire, size: number, label: string, scope: Scope) {
    super({ highWaterMark: 1024 * 1024 });
    this.#wire = wire;
    this.#size = size;
    this.#label = label;
    this.scope = scope;
    this.#free = onAbort(scope.signal, () => this.destroy(scope.signal.reason));
  }

  get leftBytes(): number {
    return this.#size - this.sentBytes;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (chunk.length > this.leftBytes) {
      done(new XferError('SOURCE_CHANGED', `write ${this.#label}: more bytes came than were announced`));
      return;
    }
    this.sentBytes += chunk.length;
    this.#wire.write(chunk, this.scope).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#free();
    done(error);
  }
}
