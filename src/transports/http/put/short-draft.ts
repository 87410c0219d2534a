/** A short file on its way: held in memory until it is whole, so that it can be sent again to where a server sends on. */
import type { Writable } from 'node:stream';
import { throwIfAborted } from '../../../errors.js';
import type { ByteRange, DigestAlgorithm, Draft, Entry, Scope } from '../../../transport.js';
import { checkNext, checkRoom, checkWhole } from './given-bytes.js';
import { PartWriter } from './part-writer.js';
import type { Proof, Target } from './protocol.js';

export interface ShortTerms {
  readonly target: Target;
  /** Puts the bytes there. Whether what has the name is what was sent, by this request or one before it. */
  readonly send: (bytes: Buffer, scope: Scope) => Promise<boolean>;
  /** Called once the file has its name; CORRUPT where it is not what it should be. */
  readonly prove: (proof: Proof, scope: Scope) => Promise<void>;
  /** The same where there is nothing to prove it by: CORRUPT where the server states another length. */
  readonly measure: (size: number, scope: Scope) => Promise<void>;
}

export class ShortDraft implements Draft {
  readonly held: readonly ByteRange[] = [];
  readonly #terms: ShortTerms;
  #pieces: Buffer[] = [];
  #given = 0;
  #proof: Proof | undefined;

  constructor(terms: ShortTerms) {
    this.#terms = terms;
  }

  async write(start: number, scope: Scope): Promise<Writable> {
    throwIfAborted(scope.signal);
    checkNext(this.#terms.target.url, this.#given, start);
    const parts = {
      take: async (chunk: Buffer, onHeld: (bytes: number) => void) => {
        this.#take(chunk);
        onHeld(chunk.length);
      },
      finish: async () => undefined,
    };
    return new PartWriter(scope, parts, this.#terms.target.url);
  }

  #take(chunk: Buffer): void {
    const { url, size = 0 } = this.#terms.target;
    checkRoom(url, this.#given + chunk.length, size);
    // What is written may be overwritten by its reader once it was taken.
    this.#pieces.push(Buffer.from(chunk));
    this.#given += chunk.length;
  }

  /** The digest that the file is to have: `commit` is CORRUPT where it has another. */
  async expect(algorithm: DigestAlgorithm, hex: string): Promise<void> {
    this.#proof = { algorithm, hex };
  }

  async commit(entry: Entry, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    const size = entry.size ?? this.#given;
    checkWhole(this.#terms.target.url, this.#given, size);
    const isOurs = await this.#terms.send(Buffer.concat(this.#pieces), scope);
    if (!isOurs) return;
    // What is there and was never sent is not ours to remove, should it be another file.
    if (this.#proof) await this.#terms.prove(this.#proof, scope);
    else await this.#terms.measure(size, scope);
  }

  suspend(): Promise<void> {
    return this.discard();
  }

  async discard(): Promise<void> {
    this.#pieces = [];
  }
}
