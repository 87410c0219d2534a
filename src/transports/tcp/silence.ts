/** Calls back once nothing was heard for a while. */
export interface Silence {
  /** Something was heard: counts from now. */
  heard(): void;
  stop(): void;
}

/** Counts `afterMs` from now and from each `heard()`; absent, it never ends. `stop` frees it. */
export function watchSilence(afterMs: number | undefined, onSilence: () => void): Silence {
  if (afterMs === undefined) return { heard: () => {}, stop: () => {} };
  const timer = setTimeout(onSilence, afterMs);
  return {
    heard: () => {
      timer.refresh();
    },
    stop: () => clearTimeout(timer),
  };
}
