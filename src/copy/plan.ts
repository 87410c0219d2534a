/** Walks the sources and says what goes where, one step at a time, so that a large tree is never in memory. */

import { throwIfAborted, XferError } from '../errors.js';
import { matchesGlob } from '../glob.js';
import { joinPath, lastPart, parentPath } from '../names.js';
import type { Entry, Scope, Sink, Source, WalkScope } from '../transport.js';
import { beside, type Outcome } from './beside.js';
import { entriesAhead } from './entries-ahead.js';
import { isItself, OwnTarget } from './into-itself.js';
import type { CopyOptions } from './options.js';
import { retry } from './retry.js';
import { EXCLUDED } from './skip-reasons.js';

/** One thing to copy. `path` is its place below the sink's root. */
export interface Step extends Outcome {
  readonly source: Source;
  readonly entry: Entry;
  readonly path: string;
}

export interface PlanScope extends WalkScope {
  /** Told before a look at one thing is tried again. */
  readonly onRetry?: (path: string, attempt: number, delayMs: number, error: XferError) => void;
}

/** Steps in the sources' order, a directory before what is in it. EXISTS, NOT_FOUND or USAGE where the target does not fit. */
export async function* plan(
  sources: readonly Source[],
  sink: Sink,
  options: CopyOptions,
  scope: PlanScope,
): AsyncGenerator<Step> {
  const into = options.intoDirectory === true || sources.length > 1;
  const root = await findRoot(sources.length, sink, options, scope);
  const named = distinct(sources, sink, scope);
  for await (const { source, entries } of entriesAhead(named, options, scope)) {
    const prefix = root?.kind === 'directory' ? source.name : '';
    const target = { targetIsFile: root?.kind === 'file', isDirectory: root?.kind === 'directory' };
    const steps = planSource(source, entries, sink, { prefix, into, ...target }, options, scope);
    if (sources.length === 1) yield* steps;
    else yield* skipFailing(source, steps, scope);
  }
}

/** Of several sources that would have the same name in the target the first: another would overwrite it, unless it is the same. */
function distinct(sources: readonly Source[], sink: Sink, scope: WalkScope): Source[] {
  const taken = new Map<string, string>();
  return sources.filter((source) => {
    const there = taken.get(source.name);
    if (source.several || there === undefined) {
      taken.set(source.name, source.identity);
      return true;
    }
    if (there === source.identity) return false;
    const what = source.name === '' ? 'the content' : source.name;
    const message = `copy ${source.label}: another source became ${what} of ${sink.label}`;
    const error = new XferError('EXISTS', message, { hint: 'copy it by a command of its own' });
    if (!scope.onSkip) throw error;
    scope.onSkip(source.label, error);
    return false;
  });
}

function oneFileOnly(what: string): XferError {
  return new XferError('UNSUPPORTED', `${what}: it takes one file`, {
    hint: 'name a directory as the target, or one file to copy',
  });
}

/** What is at the sink's root. UNSUPPORTED where it takes fewer sources, EXISTS, NOT_FOUND where it must be a directory and is none. */
async function findRoot(sources: number, sink: Sink, options: CopyOptions, scope: Scope): Promise<Entry | undefined> {
  if (sources > 1 && sink.capabilities.once) throw oneFileOnly(`copy to ${sink.label}`);
  const into = options.intoDirectory === true || sources > 1;
  if (sink.capabilities.blind) {
    refuseLook(sink, options);
    return into ? { path: '', kind: 'directory' } : undefined;
  }
  const root = await sink.stat('', scope);
  if (!into) return root;
  if (root && root.kind !== 'directory') {
    throw new XferError('EXISTS', `copy to ${sink.label}: not a directory`, { hint: 'name a directory as the target' });
  }
  if (root) return root;
  if (options.makeDirectory) {
    const made: Entry = { path: '', kind: 'directory' };
    if (!options.dryRun) await sink.create(made, scope);
    return made;
  }
  if (sources <= 1) return undefined;
  throw new XferError('NOT_FOUND', `copy to ${sink.label}: no such directory`, { hint: 'make the directory first' });
}

/** What a blind sink would find out only when it is too late, or never. */
function refuseLook(sink: Sink, { overwrite = 'always', verify }: CopyOptions): void {
  const asked = verify === 'sha256' ? '--verify' : overwrite === 'never' ? '--no-clobber' : '--update';
  if (verify !== 'sha256' && overwrite === 'always') return;
  const what = verify === 'sha256' ? 'give a digest' : 'tell what is there already';
  throw new XferError('UNSUPPORTED', `copy to ${sink.label}: the other end cannot ${what}`, {
    hint: `leave out ${asked}`,
  });
}

/** One of several sources that cannot be read leaves the others to be copied. */
async function* skipFailing(source: Source, steps: AsyncGenerator<Step>, scope: WalkScope): AsyncGenerator<Step> {
  try {
    yield* steps;
  } catch (error) {
    throwIfAborted(scope.signal);
    if (!(error instanceof XferError) || !scope.onSkip) throw error;
    scope.onSkip(source.name || source.label, error);
  }
}

interface Placement {
  readonly prefix: string;
  readonly into: boolean;
  readonly targetIsFile: boolean;
  readonly isDirectory: boolean;
}

async function* planSource(
  source: Source,
  entries: AsyncIterable<Entry>,
  sink: Sink,
  place: Placement,
  options: CopyOptions,
  scope: PlanScope,
): AsyncGenerator<Step> {
  const excluded = new Set<string>();
  const own = new OwnTarget(source, sink, place.prefix);
  const placeOf = source.several && !place.isDirectory ? onlyOne(source, sink) : (path: string) => path;
  for await (const found of entries) {
    const path = joinPath(place.prefix, placeOf(found.path));
    const entry = path === '' && sink.capabilities.blind ? { ...found, name: source.name || found.path } : found;
    const isRoot = entry.path === '' || (source.several === true && !entry.path.includes('/'));
    if (isRoot) {
      checkRoot(source, sink, entry, place, options);
      if (isItself(source, sink, entry, place.prefix)) {
        yield { source, entry, path: place.prefix, skip: 'it is the target itself' };
        return;
      }
    }
    if (await isLeftOut(own, found, scope)) continue;
    const skip = excludedBy(entry, options, excluded);
    const outcome = skip === undefined ? await conflict(source, entry, path, sink, options, scope) : { skip };
    if (outcome) yield { source, entry, path, ...outcome };
  }
}

/** Whether it lies in the target; a link to that fails alone. */
async function isLeftOut(own: OwnTarget, entry: Entry, scope: WalkScope): Promise<boolean> {
  try {
    return await own.holds(entry, scope);
  } catch (error) {
    if (!(error instanceof XferError) || error.code !== 'UNSAFE_PATH' || !scope.onSkip) throw error;
    scope.onSkip(entry.path, error);
    return true;
  }
}

/** Gives the one thing that a pattern matched the target's name. EXISTS for a second one. */
function onlyOne(source: Source, sink: Sink): (path: string) => string {
  let only: string | undefined;
  return (path) => {
    const [top = '', ...below] = path.split('/');
    only ??= top;
    if (top === only) return below.join('/');
    throw new XferError('EXISTS', `copy ${source.label} to ${sink.label}: it stands for more than ${only}`, {
      hint: 'name a directory that is there as the target',
    });
  };
}

function checkRoot(source: Source, sink: Sink, entry: Entry, place: Placement, options: CopyOptions): void {
  if (entry.kind === 'directory' && !options.recursive) {
    throw new XferError('USAGE', `copy ${source.label}: is a directory`, { hint: 'add -r to copy directories' });
  }
  if (entry.kind === 'directory' && sink.capabilities.once) throw oneFileOnly(`copy ${source.label} to ${sink.label}`);
  if (entry.kind === 'directory' && place.targetIsFile) {
    throw new XferError('EXISTS', `copy ${source.label} to ${sink.label}: not a directory`);
  }
  if (entry.kind !== 'directory' && place.into && !place.isDirectory) {
    throw new XferError('NOT_FOUND', `copy to ${sink.label}: no such directory`, { hint: 'make the directory first' });
  }
}

function excludedBy(entry: Entry, options: CopyOptions, excluded: Set<string>): string | undefined {
  const { exclude = [], include = [] } = options;
  if (exclude.length === 0 || entry.path === '') return undefined;
  const isHit = (glob: string): boolean => matchesGlob(glob, glob.includes('/') ? entry.path : lastPart(entry.path));
  if (!excluded.has(parentPath(entry.path)) && (!exclude.some(isHit) || include.some(isHit))) return undefined;
  if (entry.kind === 'directory') excluded.add(entry.path);
  return EXCLUDED;
}

/** Looks at the sink only where the policy needs it: a look costs a round trip for each file. Undefined where it fails alone. */
async function conflict(
  source: Source,
  entry: Entry,
  path: string,
  sink: Sink,
  options: CopyOptions,
  scope: PlanScope,
): Promise<Outcome | undefined> {
  if ((options.overwrite ?? 'always') === 'always' || entry.kind === 'directory') return {};
  try {
    return await retry(() => compared(source, entry, path, sink, options, scope), {
      policy: options.retry,
      signal: scope.signal,
      what: `look at ${path}`,
      onRetry: (...told) => scope.onRetry?.(path, ...told),
    });
  } catch (error) {
    // Where the line is gone for good, so it is for all that follow.
    if (!(error instanceof XferError) || error.retryable || !scope.onSkip) throw error;
    scope.onSkip(path || source.name, error);
    return undefined;
  }
}

async function compared(
  source: Source,
  entry: Entry,
  path: string,
  sink: Sink,
  options: CopyOptions,
  scope: Scope,
): Promise<Outcome> {
  const policy = options.overwrite;
  const there = await sink.stat(path, scope);
  if (!there) return {};
  if (policy === 'never') return { skip: 'already there' };
  if (policy === 'shorter') return beside({ source, entry, sink, path, there }, options, scope);
  const older =
    entry.mtimeMs === undefined ||
    there.mtimeMs === undefined ||
    there.mtimeMs < Math.floor(entry.mtimeMs / 1000) * 1000;
  return older ? {} : { skip: 'not newer than what is there' };
}
