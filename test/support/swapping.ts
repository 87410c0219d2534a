/** Names that lead to something else each time they are looked at. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface Swap {
  /** Path of what is swapped. */
  readonly at: string;
  /** Where a link leads that is swapped for another one; absent: `at` is a directory that is swapped for a link. */
  readonly inside?: string;
  /** Where the link leads that leads out. */
  readonly outside: string;
}

/** Swaps in a thread of its own while `work` goes on. Beside `at` are other names meanwhile: `at.away`, `at.link`, `at.new`. */
export async function whileSwapped(swap: Swap, work: () => Promise<void>): Promise<void> {
  const worker = new Worker(new URL('swap-worker.js', import.meta.url), { workerData: swap });
  await once(worker, 'message');
  try {
    await work();
  } finally {
    await worker.terminate();
  }
}
