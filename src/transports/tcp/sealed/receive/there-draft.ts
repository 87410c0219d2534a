/** A file that is there already, in the place of the draft that would become it: it can be compared, and stays as it is. */
import type { Writable } from 'node:stream';
import { XferError } from '../../../../errors.js';
import type { ByteRange, Digest, DigestAlgorithm, Draft, Entry, Scope, Sink } from '../../../../transport.js';

export class ThereDraft implements Draft {
  readonly there = true;
  readonly held: readonly ByteRange[];
  readonly #sink: Sink;
  readonly #path: string;

  constructor(sink: Sink, { path, size }: Entry) {
    this.#sink = sink;
    this.#path = path;
    this.held = [{ start: 0, end: size ?? 0 }];
  }

  async write(): Promise<Writable> {
    throw new XferError('EXISTS', `write ${this.#path}: a file has that name, and the receiver does not overwrite`, {
      hint: 'the receiver replaces files with --overwrite',
    });
  }

  async digest(algorithm: DigestAlgorithm, scope: Scope): Promise<Digest> {
    if (!this.#sink.digest) throw new XferError('UNSUPPORTED', `digest ${this.#path}: it cannot be read back`);
    return { hex: await this.#sink.digest(this.#path, algorithm, scope), readBack: true };
  }

  async commit(): Promise<void> {}

  async suspend(): Promise<void> {}

  async discard(): Promise<void> {}
}
