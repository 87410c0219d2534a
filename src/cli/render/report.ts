/** What a command says while it works, in the way that `--quiet`, `--verbose`, `--json` and the terminal ask for. */
import type { CopyEvent, CopyFailure, CopyResult } from '../../copy/index.js';
import type { XferError } from '../../errors.js';
import { printable } from '../../names.js';
import { NOT_A_FILE } from '../../other-kind.js';
import type { Prompt } from '../../transport.js';
import { Stopped } from '../stopped.js';
import type { Output, Surroundings } from '../surroundings.js';
import { formatBytes, formatCount, formatDuration } from './format.js';
import { canRedraw } from './fresh-line.js';
import { eventRecord, jsonLine } from './json.js';
import { Tally } from './tally.js';
import { createLineView, createStillView, ticking, type View } from './view.js';

export interface ReportChoices {
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly json: boolean;
  /** A file goes to standard output, so that nothing else may. */
  readonly stdoutTaken?: boolean;
}

const MOST_LISTED = 100;
/** Most ends need less. */
const STOPPING_MS = 1000;
const GOES_ON = 'run the same command again: it goes on where it stopped';

/** Ended once by `end`. */
export class Report {
  readonly #choices: ReportChoices;
  readonly #json: Output | undefined;
  readonly #view: View;
  readonly #tally = new Tally();
  /** Errors of which a line was said. */
  readonly #told = new WeakSet<Error>();
  /** What a copy said to have failed. */
  readonly failures: CopyFailure[] = [];
  #wouldCopy = 0;
  #questions = 0;
  #suspended = false;
  #isStopping = false;
  #stoppingTimer: NodeJS.Timeout | undefined;

  private constructor(choices: ReportChoices, around: Surroundings, view: View) {
    this.#choices = choices;
    this.#view = view;
    this.#json = choices.json ? (choices.stdoutTaken ? around.stderr : around.stdout) : undefined;
  }

  /** `view`: in place of the one for a copy. */
  static async open(choices: ReportChoices, around: Surroundings, view?: View): Promise<Report> {
    return new Report(choices, around, view ?? (await chooseView(choices, around)));
  }

  readonly onEvent = (event: CopyEvent): void => {
    if (event.type === 'fail') this.failures.push({ path: event.path, error: event.error });
    if (event.type === 'suspend') this.#suspended = true;
    if (this.#json) {
      this.#json.write(jsonLine(eventRecord(event)));
      return;
    }
    this.#tally.take(event);
    if (isDryRun(event)) this.#wouldCopy++;
    if (event.type === 'retry') {
      const wait = formatDuration(event.delayMs);
      this.#sayOnce(`${told(event.path, event.error)}; try ${event.attempt} in ${wait}`, event.error);
    } else if (event.type === 'restart') this.#say(`${nameOf(event.path)}: starts again: ${printable(event.reason)}`);
    else if (event.type === 'leftover') this.#view.line(failureLine(event.path, event.error));
    else if (this.#choices.verbose || isDryRun(event) || isOther(event)) this.#sayMore(event);
    const moves = event.type === 'plan' || event.type === 'progress' || event.type === 'finish';
    if (moves && this.#questions === 0 && !this.#isStopping) this.#view.show(this.#tally);
  };

  /** One line from a transport. */
  readonly onNotice = (line: string, about?: Error): void => {
    if (this.#json) this.#json.write(jsonLine({ type: 'notice', message: line }));
    else this.#sayOnce(printable(line), about);
  };

  /** The same prompt, with the bar away while the person answers. */
  asking(prompt: Prompt): Prompt {
    const ask = async (question: () => Promise<string | undefined>): Promise<string | undefined> => {
      this.#questions += 1;
      this.#view.end();
      try {
        return await question();
      } finally {
        this.#questions -= 1;
      }
    };
    return {
      secret: (question, scope) => ask(() => prompt.secret(question, scope)),
      line: (question, scope) => ask(() => prompt.line(question, scope)),
    };
  }

  /** A line of the command itself, with its JSON form, if it has one. */
  tell(line: string, record?: object): void {
    if (!this.#json) this.#say(line);
    else if (record) this.#json.write(jsonLine(record));
  }

  /** What failed while the rest goes on, at once. */
  fail(failure: CopyFailure): void {
    if (this.#json) this.onEvent({ type: 'fail', ...failure });
    else this.#view.line(failureLine(failure.path, failure.error));
  }

  /** The copy was asked to stop: takes the bar away for good, and says what is waited for where that takes long. */
  stopping(): void {
    this.#isStopping = true;
    this.#view.end();
    const say = () =>
      this.tell('waiting for both ends to put away what is under way; Ctrl-C again to end at once', {
        type: 'stopping',
      });
    this.#stoppingTimer = setTimeout(say, STOPPING_MS).unref();
  }

  /** The reason why the copy was stopped, with what to type where a part of a file is kept. */
  stopped(reason: unknown): unknown {
    if (!this.#suspended || !(reason instanceof Stopped)) return reason;
    return new Stopped(reason.message, reason.exitCode, GOES_ON);
  }

  /** Takes the bar away, and says in one line what was done, where something was; `here`: and checked at this end. */
  end(result?: CopyResult, here = false): void {
    clearTimeout(this.#stoppingTimer);
    this.#view.end();
    if (this.#json) return;
    if (!result) return;
    this.list(result.failures);
    this.#say(this.#wouldCopy > 0 ? `${this.#wouldCopy} would be copied` : summaryOf(result, here));
  }

  /** Takes the bar away, and says what failed, a line each. */
  list(failures: readonly CopyFailure[]): void {
    this.#view.end();
    if (this.#json) return;
    for (const { path, error } of failures.slice(0, MOST_LISTED)) this.#view.line(failureLine(path, error));
    const unlisted = failures.length - MOST_LISTED;
    if (unlisted > 0) this.#view.line(`xfer: and ${formatCount(unlisted, 'failure')} more`);
  }

  #sayMore(event: CopyEvent): void {
    if (event.type === 'start') this.#say(`${nameOf(event.path)}: started`);
    else if (event.type === 'finish') this.#say(`${nameOf(event.path)}: ${formatBytes(event.bytes)}`);
    else if (event.type === 'skip') {
      const name = nameOf(event.path);
      this.#say(isDryRun(event) ? `would copy ${name}` : `${name}: left out: ${printable(event.reason)}`);
    }
  }

  /** A line that is lost fails all files under way with one error, and is one word here. */
  #sayOnce(line: string, about: Error | undefined): void {
    if (about && this.#told.has(about)) return;
    if (about) this.#told.add(about);
    this.#say(line);
  }

  #say(line: string): void {
    if (!this.#choices.quiet) this.#view.line(line);
  }
}

function isDryRun(event: CopyEvent): boolean {
  return event.type === 'skip' && event.reason === 'dry run';
}

function isOther(event: CopyEvent): boolean {
  return event.type === 'skip' && event.reason === NOT_A_FILE;
}

async function chooseView(choices: ReportChoices, around: Surroundings): Promise<View> {
  const { stderr, env } = around;
  if (choices.quiet || choices.json) return createStillView(stderr);
  if (!canRedraw(stderr, env)) return ticking(createLineView(stderr));
  const { createBarView } = await import('./bar.js');
  return ticking(createBarView(stderr));
}

function nameOf(path: string): string {
  return path === '' ? '.' : printable(path);
}

function failureLine(path: string, error: XferError): string {
  const line = `xfer: ${told(path, error)}`;
  return error.hint === undefined ? line : `${line}\n  hint: ${error.hint}`;
}

function told(path: string, error: XferError): string {
  const name = nameOf(path);
  return error.message.includes(name) ? error.message : `${name}: ${error.message}`;
}

/** Who compared the digests; nobody is named where that was `here`. */
function proofOf({ verified, readBack, statedBy }: CopyResult, here: boolean): string {
  if (here) return `${verified} checked`;
  const how = statedBy === undefined ? 'by the far side' : `as ${printable(statedBy)} says`;
  return `${verified} checked ${readBack ? 'by reading back' : how}`;
}

/** `3 files, 1.2 MiB in 0.4 s (3.0 MiB/s), sha256 checked by the far side`, or without who where that was `here`. */
export function summaryOf(result: CopyResult, here = false): string {
  const moved = result.bytes - result.resumedBytes;
  const rate = result.elapsedMs > 0 && moved > 0 ? ` (${formatBytes((moved / result.elapsedMs) * 1000)}/s)` : '';
  const parts = [
    formatCount(result.files, 'file'),
    ...(result.symlinks > 0 ? [formatCount(result.symlinks, 'link')] : []),
    `${formatBytes(result.bytes)} in ${formatDuration(result.elapsedMs)}${rate}`,
    ...(result.resumedBytes > 0 ? [`${formatBytes(result.resumedBytes)} were there already`] : []),
    ...(result.verified === 'sha256' || result.verified === 'sha512' ? [proofOf(result, here)] : []),
    ...(result.skipped > 0 ? [`${result.skipped} left out`] : []),
    ...(result.failures.length > 0 ? [`${result.failures.length} failed`] : []),
  ];
  return parts.join(', ');
}
