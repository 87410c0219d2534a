/**
 * One set of sessions for all sources, or all sinks, that one run opens on one host: the matches of a pattern can be
 * thousands, and each would multiply its own sessions.
 */
import type { Sessions } from './sessions.js';

const shared = new WeakMap<object, Map<string, Promise<Sessions>>>();

/**
 * The sessions that are open for `key` in a run, which is named by its options object, or new ones. Each who gets them
 * closes them once. The errors of `open`.
 */
export async function shareSessions(run: object, key: string, open: () => Promise<Sessions>): Promise<Sessions> {
  const all = shared.get(run) ?? new Map<string, Promise<Sessions>>();
  shared.set(run, all);
  for (;;) {
    const pending = all.get(key);
    if (!pending) {
      const opening = open();
      all.set(key, opening);
      return opening;
    }
    const sessions = await pending.catch(() => undefined);
    if (sessions?.join()) return sessions;
    if (all.get(key) === pending) all.delete(key);
  }
}
