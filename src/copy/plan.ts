/** Walks the sources and says what goes where, one step at a time, so that a large tree is never in memory. */

import { throwIfAborted, XferError } from '../errors.js';
import { joinPath, lastPart, parentPath } from '../names.js';
import type { Entry, Scope, Sink, Source, WalkScope } from '../transport.js';
import { matchesGlob } from './glob.js';
import type { CopyOptions } from './options.js';

/** One thing to copy. `path` is its place below the sink's root. */
export interface Step {
  readonly source: Source;
  readonly entry: Entry;
  readonly path: string;
  /** Why it is left out. */
  readonly skip?: string;
}

/** Steps in the sources' order, a directory before what is in it. EXISTS, NOT_FOUND or USAGE where the target does not fit. */
export async function* plan(
  sources: readonly Source[],
  sink: Sink,
  options: CopyOptions,
  scope: WalkScope,
): AsyncGenerator<Step> {
  const into = options.intoDirectory === true || sources.length > 1;
  const root = await sink.stat('', scope);
  if (into && root && root.kind !== 'directory') {
    throw new XferError('EXISTS', `copy to ${sink.label}: not a directory`, { hint: 'name a directory as the target' });
  }
  if (into && !root && sources.length > 1) {
    throw new XferError('NOT_FOUND', `copy to ${sink.label}: no such directory`, { hint: 'make the directory first' });
  }
  const names = new Set<string>();
  for (const source of sources) {
    const prefix = root?.kind === 'directory' ? source.name : '';
    if (names.has(prefix)) {
      throw new XferError('USAGE', `copy ${source.label}: two sources would both become ${prefix} in ${sink.label}`);
    }
    names.add(prefix);
    const steps = planSource(source, sink, { prefix, into, targetIsFile: root?.kind === 'file' }, options, scope);
    if (sources.length === 1) yield* steps;
    else yield* skipFailing(source, steps, scope);
  }
}

/** One of several sources that cannot be read leaves the others to be copied. */
async function* skipFailing(source: Source, steps: AsyncGenerator<Step>, scope: WalkScope): AsyncGenerator<Step> {
  try {
    yield* steps;
  } catch (error) {
    throwIfAborted(scope.signal);
    if (!(error instanceof XferError) || !scope.onSkip) throw error;
    scope.onSkip(source.name, error);
  }
}

interface Placement {
  readonly prefix: string;
  readonly into: boolean;
  readonly targetIsFile: boolean;
}

async function* planSource(
  source: Source,
  sink: Sink,
  place: Placement,
  options: CopyOptions,
  scope: WalkScope,
): AsyncGenerator<Step> {
  const excluded = new Set<string>();
  for await (const entry of source.entries(scope)) {
    if (entry.path === '') checkRoot(source, sink, entry, place, options);
    const path = joinPath(place.prefix, entry.path);
    const reason = excludedBy(entry, options, excluded) ?? (await conflict(entry, path, sink, options, scope));
    yield { source, entry, path, ...(reason === undefined ? {} : { skip: reason }) };
  }
}

function checkRoot(source: Source, sink: Sink, entry: Entry, place: Placement, options: CopyOptions): void {
  if (entry.kind === 'directory' && !options.recursive) {
    throw new XferError('USAGE', `copy ${source.label}: is a directory`, { hint: 'add -r to copy directories' });
  }
  if (entry.kind === 'directory' && place.targetIsFile) {
    throw new XferError('EXISTS', `copy ${source.label} to ${sink.label}: not a directory`);
  }
  if (entry.kind !== 'directory' && place.into && place.prefix === '') {
    throw new XferError('NOT_FOUND', `copy to ${sink.label}: no such directory`, { hint: 'make the directory first' });
  }
}

function excludedBy(entry: Entry, options: CopyOptions, excluded: Set<string>): string | undefined {
  const { exclude = [], include = [] } = options;
  if (exclude.length === 0 || entry.path === '') return undefined;
  const isHit = (glob: string): boolean => matchesGlob(glob, glob.includes('/') ? entry.path : lastPart(entry.path));
  if (!excluded.has(parentPath(entry.path)) && (!exclude.some(isHit) || include.some(isHit))) return undefined;
  if (entry.kind === 'directory') excluded.add(entry.path);
  return 'excluded';
}

/** Looks at the sink only where the policy needs it: a look costs a round trip for each file. */
async function conflict(
  entry: Entry,
  path: string,
  sink: Sink,
  options: CopyOptions,
  scope: Scope,
): Promise<string | undefined> {
  const policy = options.overwrite ?? 'always';
  if (policy === 'always' || entry.kind === 'directory') return undefined;
  const there = await sink.stat(path, scope);
  if (!there) return undefined;
  if (policy === 'never') return 'already there';
  const older =
    entry.mtimeMs === undefined ||
    there.mtimeMs === undefined ||
    there.mtimeMs < Math.floor(entry.mtimeMs / 1000) * 1000;
  return older ? undefined : 'not newer than what is there';
}
