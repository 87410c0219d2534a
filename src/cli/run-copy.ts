/** Opens both ends, copies, closes them, and says how it went: what every copying command does. */
import { onAbort } from '../concurrency/on-abort.js';
import type { CopyEvent, CopyFailure, CopyOptions, CopyResult } from '../copy/index.js';
import { toXferError, XferError } from '../errors.js';
import { describeLocation, type Location } from '../location.js';
import { expandLocation, openSink, openSource } from '../open.js';
import type { OpenOptions, Scope, Sink, Source } from '../transport.js';
import { copyOptions } from './copy-options.js';
import { askingOnce, openAgain, openingTerms } from './open-again.js';
import type { ParsedArguments } from './parsed-arguments.js';
import { createPrompt } from './prompt.js';
import { Report } from './render/report.js';
import type { View } from './render/view.js';
import { checkStandardStreams } from './standard-streams.js';
import { usableJournalDirectory } from './state-directory.js';
import type { Surroundings } from './surroundings.js';
import { isWeb } from './web-location.js';

export interface CopyRequest {
  readonly from: readonly Location[];
  readonly to: Location;
  /** What the transports are told beyond prompt, notices and links. */
  readonly transportOptions?: object;
  readonly copyOptions?: CopyOptions;
  /** Whether a directory that is missing is made for so many sources; it is not where absent. */
  readonly makesDirectory?: (sources: number) => boolean;
  readonly neverAsk?: boolean;
  /** The sink is opened before the sources, since opening these waits for another person. */
  readonly sinkFirst?: boolean;
  /** Opens an end, where one try may not be enough; as `openAgain` does where absent. */
  readonly openAgain?: <End>(open: () => Promise<End>) => Promise<End>;
  /** The sink, where it is not to be opened at `to`. */
  readonly openTo?: () => Promise<Sink>;
  /** Is told what happens in place of the report. */
  readonly onEvent?: (event: CopyEvent) => void;
  /** Says more at the end. */
  readonly closing?: (report: Report) => void;
  /** Throws where the command takes the result for a failure; speaks instead of the summary where nothing was done. */
  readonly check?: (result: CopyResult) => void;
}

/** Rejects with PARTIAL where some of several failed, with the first failure's code where nothing arrived. */
export async function runCopy(
  makeRequest: CopyRequest | ((report: Report) => CopyRequest | Promise<CopyRequest>),
  parsed: ParsedArguments,
  around: Surroundings,
  opened?: Report,
): Promise<void> {
  const report = opened ?? (await openReport(parsed, around));
  const free = onAbort(around.signal, () => report.stopping());
  try {
    const request = typeof makeRequest === 'function' ? await makeRequest(report) : makeRequest;
    checkStandardStreams(request);
    const result = await copyAll(request, parsed, around, report).catch((error: unknown) => {
      throw around.signal.aborted ? report.stopped(around.signal.reason) : listFailures(error, report);
    });
    if (result.files === 0 && result.failures.length === 0) request.check?.(result);
    report.end(result);
    request.closing?.(report);
    request.check?.(result);
    throwFailures(result);
  } finally {
    free();
    report.end();
  }
}

/** The report that the options ask for; `view` in place of the one for a copy. */
export function openReport(parsed: ParsedArguments, around: Surroundings, view?: View): Promise<Report> {
  return Report.open(
    {
      quiet: parsed.flag('quiet'),
      verbose: parsed.flag('verbose'),
      json: parsed.flag('json'),
      stdoutTaken: parsed.stdoutTaken,
    },
    around,
    view,
  );
}

/** Copies as the request says, and closes both ends. */
export async function copyAll(
  request: CopyRequest,
  parsed: ParsedArguments,
  around: Surroundings,
  report: Report,
): Promise<CopyResult> {
  const { copy } = await import('../copy/index.js');
  const scope: Scope = { signal: around.signal };
  const wanted = copyOptions(parsed);
  const open: (Source | Sink)[] = [];
  let known: readonly Source[] = [];
  const openEnd = openerOf(request, parsed, around, report, () => largestOf(known, scope));
  let target: Sink | undefined;
  try {
    const openTo = async () => {
      target = await openEnd(request.to, request.openTo ?? ((options) => openSink(request.to, options, scope)));
      open.push(target);
      return target;
    };
    const first = request.sinkFirst ? await openTo() : undefined;
    const { sources, failures } = await openSources(request.from, openEnd, scope, report);
    open.push(...sources);
    known = sources;
    const sink = first ?? (await openTo());
    const several = sources.length + failures.length;
    const result = await copy(sources, sink, {
      ...wanted,
      ...(wanted.dryRun ? {} : await journalFor(sink, around, report)),
      ...request.copyOptions,
      ...(several > 1 ? { intoDirectory: true } : {}),
      makeDirectory: request.makesDirectory?.(several) ?? false,
      signal: around.signal,
      onEvent: request.onEvent ?? report.onEvent,
    });
    const all = { ...result, failures: [...failures, ...result.failures] };
    await sink.conclude?.({ files: all.files, bytes: all.bytes, failures: all.failures.length }, scope);
    return all;
  } catch (error) {
    const isFinal = error instanceof XferError && !error.retryable && !around.signal.aborted;
    if (isFinal) await target?.conclude?.({ files: 0, bytes: 0, failures: 1 }, scope).catch(() => {});
    throw error;
  } finally {
    await Promise.allSettled(open.map((end) => end.close()));
  }
}

type Opener = <Opened>(location: Location, open: (options: OpenOptions) => Promise<Opened>) => Promise<Opened>;

/** Opens an end with what its transport is told, and as often as the request says. */
function openerOf(
  request: CopyRequest,
  parsed: ParsedArguments,
  around: Surroundings,
  report: Report,
  largestFile: () => Promise<number>,
): Opener {
  const options = { ...openOptions(request, parsed, around, report), largestFile };
  const { prompt } = options;
  const web = prompt ? { ...options, prompt: askingOnce(prompt) } : options;
  return (location, open) => {
    const once = () => open(isWeb(location) ? web : options);
    return request.openAgain?.(once) ?? openAgain(location, once, openingTerms(parsed, around, report));
  };
}

/** Where the copy is written down, if the sink has any use for that. */
async function journalFor(
  { sweep, capabilities }: Sink,
  around: Surroundings,
  report: Report,
): Promise<Pick<CopyOptions, 'journalDirectory'>> {
  if (!sweep && !capabilities.resume) return {};
  const journalDirectory = await usableJournalDirectory(around, report.onNotice);
  return journalDirectory === undefined ? {} : { journalDirectory };
}

/** Bytes of the largest file that is a source by itself; what is in directories is seen when they are walked. */
async function largestOf(sources: readonly Source[], scope: Scope): Promise<number> {
  const looks = sources.map((source) => source.stat?.('', scope).catch(() => undefined));
  return Math.max(0, ...(await Promise.all(looks)).map((entry) => entry?.size ?? 0));
}

interface OpenedSources {
  readonly sources: readonly Source[];
  readonly failures: readonly CopyFailure[];
}

/** As scp does, goes on without those of several that cannot be opened. Rejects where none can, and on a wrong command line. */
async function openSources(
  from: readonly Location[],
  openEnd: Opener,
  scope: Scope,
  report: Report,
): Promise<OpenedSources> {
  const sources: Source[] = [];
  const failures: CopyFailure[] = [];
  try {
    for (const location of from) {
      try {
        for (const each of await openEnd(location, (options) => expandLocation(location, options, scope))) {
          sources.push(await openEnd(each, (options) => openSource(each, options, scope)));
        }
      } catch (thrown) {
        const error = toXferError(thrown, `open ${describeLocation(location)}`);
        if (from.length === 1 || scope.signal.aborted || [1, 2].includes(error.exitCode)) throw thrown;
        failures.push({ path: describeLocation(location), error });
      }
    }
    for (const failure of failures) report.onEvent({ type: 'fail', ...failure });
    const [first] = failures;
    if (first && sources.length === 0) throw first.error;
  } catch (error) {
    await Promise.allSettled(sources.map((source) => source.close()));
    throw error;
  }
  return { sources, failures };
}

/** What a transport is told when it opens an end of the copy. */
export function openOptions(
  request: CopyRequest,
  parsed: ParsedArguments,
  around: Surroundings,
  report: Report,
): OpenOptions {
  const links = parsed.text('links') as OpenOptions['links'];
  return {
    ...request.transportOptions,
    onNotice: report.onNotice,
    ...(request.neverAsk ? {} : { prompt: report.asking(createPrompt(around)) }),
    ...(links === undefined ? {} : { links }),
    ...(parsed.flag('inplace') ? { inPlace: true } : {}),
  };
}

function throwFailures({ failures, files, symlinks, skipped }: CopyResult): void {
  const [first] = failures;
  if (!first) return;
  // Directories are not counted: most sinks cannot tell those that they made from those that were there.
  const arrived = files + symlinks + skipped;
  if (arrived === 0) throw nothingArrived(first, failures);
  throw new XferError('PARTIAL', `copy: ${failures.length} failed; the rest arrived`, { hint: hintAfter(failures) });
}

function nothingArrived(first: CopyFailure, failures: readonly CopyFailure[]): XferError {
  const message = `copy: nothing arrived, ${failures.length} failed`;
  return new XferError(first.error.code, message, { hint: hintAfter(failures), cause: first.error });
}

function hintAfter(failures: readonly CopyFailure[]): string {
  return failures.some(mayPass) ? 'run the same command again' : 'again it would end so: first mend what is said above';
}

/** What to throw for what the copy threw: where that is one of several failures, they are said, each in its line. */
function listFailures(thrown: unknown, report: Report): unknown {
  const [first, ...more] = report.failures;
  if (!first || more.length === 0 || !(thrown instanceof XferError)) return thrown;
  if (thrown !== first.error && thrown.cause !== first.error) return thrown;
  report.list(report.failures);
  return nothingArrived(first, report.failures);
}

/** The same copy may succeed another time, though nobody does anything about it. */
function mayPass({ error }: CopyFailure): boolean {
  return error.retryable || error.code === 'SOURCE_CHANGED' || error.code === 'CORRUPT';
}
