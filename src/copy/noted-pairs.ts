/** Which pairs of a file and its target have a journal: what they left is looked for also where the file is small by now. */
import type { Sink } from '../transport.js';
import { idOf } from './id-of.js';
import type { JournalKey } from './journal.js';
import type { Step } from './plan.js';

/** What the journal of a step is found by. */
export function pairOf({ source, entry, path }: Step, sink: Sink): Pick<JournalKey, 'source' | 'sink'> {
  return { source: `${source.identity}\0${entry.path}`, sink: `${sink.identity}\0${path}` };
}

/** Whether one of these names, from the directory of journals, is that of the step's. */
export function isNoted(step: Step, sink: Sink, names: ReadonlySet<string>): boolean {
  if (names.size === 0 || step.entry.version === undefined || step.entry.size === undefined) return false;
  const pair = pairOf(step, sink);
  return names.has(`${idOf(pair.source, pair.sink)}.journal`);
}
