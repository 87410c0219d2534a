import { withinTimerMs } from '../../concurrency/longest-timer.js';

/** Calls back once nothing was heard for a while. */
export interface Silence {
  /** Something was heard: counts from now. */
  heard(): void;
  stop(): void;
}

/** Counts `afterMs` from now and from each `heard()`; absent, it never ends. `stop` frees it. */
export function watchSilence(afterMs: number | undefined, onSilence: () => void): Silence {
  if (afterMs === undefined) return { heard: () => {}, stop: () => {} };
  let stopped = false;
  let sounds = 0;
  const timer = setTimeout(() => {
    const before = sounds;
    // A process that was held up runs its timers before it reads what came meanwhile.
    setImmediate(() => {
      if (!stopped && sounds === before) onSilence();
    });
  }, withinTimerMs(afterMs));
  return {
    heard: () => {
      sounds += 1;
      timer.refresh();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
