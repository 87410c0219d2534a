/** The suite that every transport passes: each chapter holds it to one part of the contract in `transport.ts`. */
import { describe } from 'node:test';
import { sinkAbortChapter, sourceAbortChapter } from './abort.js';
import { sinkBackPressureChapter, sourceBackPressureChapter } from './back-pressure.js';
import { directoriesChapter } from './directories.js';
import { draftChapter } from './draft.js';
import { entriesChapter } from './entries.js';
import { faultsChapter } from './faults.js';
import { listingChapter } from './listing.js';
import { sinkNamesChapter, sourceNamesChapter } from './names.js';
import { offsetsChapter } from './offsets.js';
import { readChapter } from './read.js';
import { sinkRefusalsChapter, sourceRefusalsChapter } from './refusals.js';
import { resumeChapter } from './resume.js';
import type { Rig, SinkRig, SourceRig } from './rig.js';

const SOURCE_CHAPTERS: readonly ((rig: SourceRig) => void)[] = [
  entriesChapter,
  sourceNamesChapter,
  readChapter,
  listingChapter,
  sourceRefusalsChapter,
  sourceAbortChapter,
  sourceBackPressureChapter,
  faultsChapter,
];

const SINK_CHAPTERS: readonly ((rig: SinkRig) => void)[] = [
  directoriesChapter,
  sinkNamesChapter,
  draftChapter,
  offsetsChapter,
  resumeChapter,
  sinkRefusalsChapter,
  sinkAbortChapter,
  sinkBackPressureChapter,
];

/** Registers every chapter for a transport's source, its sink, or both; `options` is what `needs` gives. */
export function conformance(name: string, rig: Rig, options: { skip?: string } = {}): void {
  describe(name, options, () => {
    const { source, sink } = rig;
    if (source) for (const register of SOURCE_CHAPTERS) register(source);
    if (sink) for (const register of SINK_CHAPTERS) register(sink);
  });
}
