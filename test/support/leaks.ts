/** Counts what a process holds, so that a test can say that nothing was left behind. */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

type Count = Map<string, number>;

/** Kinds that come and go with the runner itself, or with the look at them. */
const NOT_COUNTED = new Set(['Immediate', 'TickObject', 'Promise', 'Microtask']);

/** How long something that was closed may take to be gone. */
const SETTLE_MS = 3000;

function add(counts: Count, kind: string): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}

/** What is open now: descriptors by what they are (Linux only), and what keeps the event loop alive. */
export function countOpen(): Count {
  const counts: Count = new Map();
  for (const kind of process.getActiveResourcesInfo()) if (!NOT_COUNTED.has(kind)) add(counts, kind);
  if (process.platform !== 'linux') return counts;
  for (const descriptor of readdirSync('/proc/self/fd')) {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      add(counts, `descriptor ${target.replace(/:\[\d+\]$/, '')}`);
    } catch {
      // The descriptor that readdir itself used is gone by now.
    }
  }
  return counts;
}

function moreThan(before: Count): string[] {
  const extra: string[] = [];
  for (const [kind, count] of countOpen()) {
    const allowed = before.get(kind) ?? 0;
    if (count > allowed) extra.push(`${count - allowed} × ${kind}`);
  }
  return extra;
}

/** Fails where more is open than in `before`, after what was closed had its time to go. */
export async function assertNoMoreThan(before: Count, settleMs = SETTLE_MS): Promise<void> {
  const deadline = performance.now() + settleMs;
  while (moreThan(before).length > 0 && performance.now() < deadline) await nextTurn();
  assert.deepEqual(moreThan(before), [], 'left open');
}
