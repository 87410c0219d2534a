/** Swaps a name for a link that leads out and back, without a pause, until it is terminated. */
import { renameSync, symlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { Swap } from './swapping.js';

const { at, inside, outside } = workerData as Swap;
if (inside === undefined) symlinkSync(outside, `${at}.link`);
parentPort?.postMessage('begun');
for (;;) {
  if (inside === undefined) {
    renameSync(at, `${at}.away`);
    renameSync(`${at}.link`, at);
    renameSync(at, `${at}.link`);
    renameSync(`${at}.away`, at);
  } else {
    for (const target of [outside, inside]) {
      symlinkSync(target, `${at}.new`);
      renameSync(`${at}.new`, at);
    }
  }
}
