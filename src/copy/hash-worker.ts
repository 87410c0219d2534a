/** Hashes what is put into shared memory, on a thread of its own: `PassingHashes` is the other end. */
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { DigestAlgorithm } from '../transport.js';

export interface HashWork {
  readonly algorithms: readonly DigestAlgorithm[];
  readonly memory: SharedArrayBuffer;
  readonly slotBytes: number;
}

/** A slot that was filled, or the end. */
export type HashOrder = { readonly slot: number; readonly length: number } | 'end';

const { algorithms, memory, slotBytes } = workerData as HashWork;
const hashes = algorithms.map((algorithm) => createHash(algorithm));

parentPort?.on('message', (order: HashOrder) => {
  if (order === 'end') {
    parentPort?.postMessage(hashes.map((hash) => hash.digest('hex')));
    return;
  }
  const bytes = new Uint8Array(memory, order.slot * slotBytes, order.length);
  for (const hash of hashes) hash.update(bytes);
  parentPort?.postMessage(order.slot);
});
