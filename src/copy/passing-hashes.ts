/** Hashes of bytes on their way, on another thread where there are many of them. */
import { createHash, type Hash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { XferError } from '../errors.js';
import { ownFile } from '../package/own-files.js';
import type { DigestAlgorithm } from '../transport.js';
import type { HashOrder, HashWork } from './hash-worker.js';

/** From here on a thread is worth its start. */
const THREAD_FROM_BYTES = 32 << 20;
/** Of two processors the other one has the system's part of the copy to do: then the bytes' way to a thread costs more. */
const THREAD_FROM_PROCESSORS = 3;
const SLOTS = 8;
const SLOT_BYTES = 1 << 20;

/** Takes all bytes of a file in order. Closed once in any case. */
export interface PassingHashes {
  /** A promise where the bytes come faster than they are hashed: no more until it resolves. */
  update(chunk: Uint8Array): Promise<void> | undefined;
  /** Of all that came, in lower-case hex. */
  digest(algorithm: DigestAlgorithm): Promise<string>;
  close(): void;
}

/** Hashes for a file of a size, which may not be known. */
export function passingHashes(
  algorithms: readonly DigestAlgorithm[],
  size = Number.POSITIVE_INFINITY,
  processors = availableParallelism(),
): PassingHashes {
  const aside = size >= THREAD_FROM_BYTES && processors >= THREAD_FROM_PROCESSORS;
  return aside ? new HashesAside(algorithms) : new HashesHere(algorithms);
}

class HashesHere implements PassingHashes {
  readonly #hashes: ReadonlyMap<DigestAlgorithm, Hash>;

  constructor(algorithms: readonly DigestAlgorithm[]) {
    this.#hashes = new Map(algorithms.map((algorithm) => [algorithm, createHash(algorithm)]));
  }

  update(chunk: Uint8Array): undefined {
    for (const hash of this.#hashes.values()) hash.update(chunk);
  }

  async digest(algorithm: DigestAlgorithm): Promise<string> {
    return this.#hashes.get(algorithm)?.digest('hex') ?? '';
  }

  close(): void {}
}

/** Copies the bytes into a ring of slots, which costs a tenth of hashing them. */
class HashesAside implements PassingHashes {
  readonly #algorithms: readonly DigestAlgorithm[];
  readonly #memory = new SharedArrayBuffer(SLOTS * SLOT_BYTES);
  readonly #bytes = new Uint8Array(this.#memory);
  readonly #worker: Worker;
  readonly #free = Array.from({ length: SLOTS - 1 }, (_, slot) => slot + 1);
  readonly #digests: Promise<readonly string[]>;
  #slot: number | undefined = 0;
  #used = 0;
  #wake: (() => void) | undefined;
  #failed: XferError | undefined;
  #ended = false;

  constructor(algorithms: readonly DigestAlgorithm[]) {
    this.#algorithms = algorithms;
    const work: HashWork = { algorithms, memory: this.#memory, slotBytes: SLOT_BYTES };
    this.#worker = new Worker(ownFile('copy/hash-worker.js'), { workerData: work });
    this.#worker.unref();
    this.#digests = new Promise((resolve, reject) => {
      this.#worker.on('message', (answer: number | readonly string[]) => {
        if (typeof answer === 'number') this.#take(answer);
        else resolve(answer);
      });
      const fail = (cause?: unknown): void => {
        this.#failed = new XferError('INTERNAL', 'hash: its thread ended early', { cause });
        this.#wake?.();
        reject(this.#failed);
      };
      this.#worker.once('error', fail).once('exit', () => fail());
    });
    this.#digests.catch(() => {});
  }

  update(chunk: Uint8Array): Promise<void> | undefined {
    let at = 0;
    while (this.#slot !== undefined && at < chunk.length) at += this.#fill(chunk, at);
    return at < chunk.length ? this.#rest(chunk.subarray(at)) : undefined;
  }

  async #rest(chunk: Uint8Array): Promise<void> {
    while (this.#slot === undefined) {
      if (this.#failed) throw this.#failed;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    await this.update(chunk);
  }

  /** Puts what has room into the slot, and passes it on once it is full; how much that was. */
  #fill(chunk: Uint8Array, at: number): number {
    const length = Math.min(chunk.length - at, SLOT_BYTES - this.#used);
    this.#bytes.set(chunk.subarray(at, at + length), (this.#slot as number) * SLOT_BYTES + this.#used);
    this.#used += length;
    if (this.#used === SLOT_BYTES) this.#pass();
    return length;
  }

  #pass(): void {
    if (this.#slot === undefined || this.#used === 0) return;
    this.#order({ slot: this.#slot, length: this.#used });
    this.#used = 0;
    this.#slot = this.#free.shift();
  }

  #order(order: HashOrder): void {
    this.#worker.postMessage(order);
  }

  #take(slot: number): void {
    this.#free.push(slot);
    this.#slot ??= this.#free.shift();
    this.#wake?.();
    this.#wake = undefined;
  }

  async digest(algorithm: DigestAlgorithm): Promise<string> {
    if (!this.#ended) {
      this.#ended = true;
      this.#pass();
      this.#order('end');
    }
    return (await this.#digests)[this.#algorithms.indexOf(algorithm)] ?? '';
  }

  close(): void {
    void this.#worker.terminate();
  }
}
