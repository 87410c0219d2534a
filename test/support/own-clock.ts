/** Time by turns of the event loop: a turn that came late, on a machine that does other things too, counts no more than one. */
const TURN_MS = 20;

/** Calls back once this process was given so much time. `stop` returns how much it was, in steps of a turn. */
export function startOwnClock(limitMs: number, onLimit: () => void): { stop(): number } {
  let ownMs = 0;
  const turns = setInterval(() => {
    ownMs += TURN_MS;
    if (ownMs < limitMs) return;
    clearInterval(turns);
    onLimit();
  }, TURN_MS);
  return {
    stop: () => {
      clearInterval(turns);
      return ownMs;
    },
  };
}
