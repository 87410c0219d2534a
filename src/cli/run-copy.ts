/** Opens both ends, copies, closes them, and says how it went: what every copying command does. */
import { join } from 'node:path';
import type { CopyOptions, CopyResult } from '../copy/index.js';
import { XferError } from '../errors.js';
import type { Location } from '../location.js';
import { openSink, openSource } from '../open.js';
import type { OpenOptions, Scope, Sink, Source } from '../transport.js';
import type { ParsedArguments } from './parsed-arguments.js';
import { createPrompt } from './prompt.js';
import { parseRate } from './render/format.js';
import { Report } from './render/report.js';
import { stateDirectory } from './state-directory.js';
import type { Surroundings } from './surroundings.js';

export interface CopyRequest {
  readonly from: readonly Location[];
  readonly to: Location;
  /** What the transports are told beyond prompt, notices and links. */
  readonly transportOptions?: object;
  readonly copyOptions?: CopyOptions;
  readonly neverAsk?: boolean;
  /** A further line at the end. */
  readonly closing?: (result: CopyResult) => string;
  /** Looks at the result, and throws where the command says that it is a failure. */
  readonly check?: (result: CopyResult) => void;
}

/** Rejects with PARTIAL where some of several failed, with the first failure's code where nothing arrived. */
export async function runCopy(
  makeRequest: CopyRequest | ((report: Report) => CopyRequest),
  parsed: ParsedArguments,
  around: Surroundings,
): Promise<void> {
  const report = await openReport(parsed, around);
  try {
    const request = typeof makeRequest === 'function' ? makeRequest(report) : makeRequest;
    const result = await copyAll(request, parsed, around, report);
    report.end(result);
    if (request.closing) report.tell(request.closing(result));
    request.check?.(result);
    throwFailures(result);
  } finally {
    report.end();
  }
}

/** The report that the options ask for. */
export function openReport(parsed: ParsedArguments, around: Surroundings): Promise<Report> {
  return Report.open(
    {
      quiet: parsed.flag('quiet'),
      verbose: parsed.flag('verbose'),
      json: parsed.flag('json'),
      stdoutTaken: parsed.stdoutTaken,
    },
    around,
  );
}

async function copyAll(
  request: CopyRequest,
  parsed: ParsedArguments,
  around: Surroundings,
  report: Report,
): Promise<CopyResult> {
  const { copy } = await import('../copy/index.js');
  const scope: Scope = { signal: around.signal };
  const options = openOptions(request, parsed, around, report);
  const open: (Source | Sink)[] = [];
  try {
    const sources: Source[] = [];
    for (const location of request.from) {
      const source = await openSource(location, options, scope);
      open.push(source);
      sources.push(source);
    }
    const sink = await openSink(request.to, options, scope);
    open.push(sink);
    return await copy(sources, sink, {
      ...copyOptions(parsed),
      journalDirectory: join(stateDirectory(around), 'journal'),
      ...request.copyOptions,
      signal: around.signal,
      onEvent: report.onEvent,
    });
  } finally {
    await Promise.allSettled(open.map((end) => end.close()));
  }
}

function openOptions(request: CopyRequest, parsed: ParsedArguments, around: Surroundings, report: Report): OpenOptions {
  const links = parsed.text('links') as OpenOptions['links'];
  return {
    ...request.transportOptions,
    onNotice: report.onNotice,
    ...(request.neverAsk ? {} : { prompt: createPrompt(around) }),
    ...(links === undefined ? {} : { links }),
  };
}

/** What the options of the table say to the engine. */
function copyOptions(parsed: ParsedArguments): CopyOptions {
  const lanes = parsed.wholeNumber('lanes');
  const filesInFlight = parsed.wholeNumber('files-in-flight');
  const rate = parsed.text('limit-rate');
  return {
    preserve: parsed.flag('preserve'),
    dryRun: parsed.flag('dry-run'),
    exclude: parsed.list('exclude'),
    ...(lanes === undefined ? {} : { lanes }),
    ...(filesInFlight === undefined ? {} : { filesInFlight }),
    ...(rate === undefined ? {} : { limitBytesPerSecond: parseRate(rate) }),
    ...(parsed.flag('verify') ? { verify: 'sha256' } : {}),
  };
}

function throwFailures(result: CopyResult): void {
  const [first] = result.failures;
  if (!first) return;
  const { length } = result.failures;
  const arrived = result.files + result.directories + result.symlinks + result.skipped;
  if (arrived === 0) throw new XferError(first.error.code, `copy: nothing arrived, ${length} failed`);
  throw new XferError('PARTIAL', `copy: ${length} failed; the rest arrived`, { hint: 'run the same command again' });
}
