/**
 * Settings of V8 for a program that lives a second and whose bytes lie outside of its heap. They are V8's own words, which
 * may go: each is given to the versions of Node that it was measured with, and to no other.
 */
import { setFlagsFromString } from 'node:v8';

interface EngineFlag {
  readonly flag: string;
  /** Major versions of Node. */
  readonly from: number;
  readonly to: number;
}

const FLAGS: readonly EngineFlag[] = [
  // Buffers count as if they lay in the heap: every 12 to 25 MB of a file V8 begins to walk through all that lives, beside
  // the program, which takes a third of the processor's time of a large copy. In one go, when the heap is full, it is rare.
  { flag: '--no-incremental-marking', from: 20, to: 26 },
  // Later versions have Maglev in between; this one optimizes so early that a short copy ends before it pays. With more than
  // this a copy of 100,000 files takes longer.
  { flag: '--interrupt-budget=250000', from: 20, to: 20 },
  // The place for what is new grows as fast as many small files need it, and they outlive fewer collections: a twentieth of
  // the time of 20,000 files. Later versions have no gain.
  { flag: '--semi-space-growth-factor=16', from: 20, to: 22 },
];

/** Which of them a version of Node, as `20.19.0`, is given. */
export function engineFlags(nodeVersion: string): string[] {
  const major = Number.parseInt(nodeVersion, 10);
  return FLAGS.filter(({ from, to }) => major >= from && major <= to).map(({ flag }) => flag);
}

/**
 * Node's own modules come from a cache of compiled code that fits unchanged flags alone: by then those of a usual command
 * are loaded.
 */
const ONCE_LOADED_MS = 75;

/** Sets them a moment from now, if the program lives that long. */
export function setEngineFlags(): void {
  setTimeout(() => {
    for (const flag of engineFlags(process.versions.node)) setFlagsFromString(flag);
  }, ONCE_LOADED_MS).unref();
}
