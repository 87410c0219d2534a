/** Started for one check: bcrypt in JavaScript would hold up everything else on the thread that it runs on. */
import { parentPort, workerData } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

const { typed, hash } = workerData as { typed: string; hash: string };
parentPort?.postMessage(compareSync(typed, hash));
