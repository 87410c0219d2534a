import { Duplex, type Readable, type Writable } from 'node:stream';

/** Two streams as one: `from` is read, `to` is written. Destroying the pair destroys both. */
export class StreamPair extends Duplex {
  readonly #from: Readable;
  readonly #to: Writable;
  readonly #whyEnded: () => Promise<Error | undefined>;

  #finished = false;

  /** `whyEnded` is asked at the end of either stream: an error that it gives stands in for a tidy end. */
  constructor(from: Readable, to: Writable, whyEnded: () => Promise<Error | undefined>) {
    super();
    this.#from = from;
    this.#to = to;
    this.#whyEnded = whyEnded;
    from.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) from.pause();
    });
    from.once('end', () => this.#finish());
    from.once('close', () => this.#finish());
    // What they mean is told by `whyEnded` and by the write that failed.
    from.on('error', () => undefined);
    to.on('error', () => undefined);
  }

  async #finish(): Promise<void> {
    if (this.#finished) return;
    this.#finished = true;
    const error = await this.#whyEnded();
    if (error) this.destroy(error);
    else if (!this.destroyed) this.push(null);
  }

  override _read(): void {
    this.#from.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#to.write(chunk, (error) => {
      if (!error) return done();
      this.#whyEnded().then((reason) => done(reason ?? error));
    });
  }

  override _final(done: () => void): void {
    this.#to.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#from.destroy();
    this.#to.destroy();
    done(error);
  }
}
