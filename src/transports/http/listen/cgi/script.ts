/** A program that answers one request. */
import { dirname, extname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';
import { systemCode } from '../../../../errors.js';
import { startedBy } from '../../../../started-by.js';
import { tellLines } from '../../../../streams/text-lines.js';

/** How long a script that is told to end may take before it is made to. */
const GRACE_MS = 1000;
/** How long the last words of one that ended may take. */
const LAST_WORDS_MS = 200;
/** Lines of its standard error that are told. */
const MOST_LINES = 50;

/** Windows starts nothing else without a shell; the interpreters are found by PATH. */
const WINDOWS_INTERPRETERS: Record<string, string | undefined> = { '.py': 'python', '.pl': 'perl' };
const WINDOWS_PROGRAM = /\.(?:exe|com)$/i;

/** The program and the arguments that run the script at `path`, or undefined where it is no program. */
export function scriptCommand(
  path: string,
  mode: number | undefined,
  platform: NodeJS.Platform,
): readonly [string, ...string[]] | undefined {
  if (platform !== 'win32') return ((mode ?? 0) & 0o111) === 0 ? undefined : [path];
  if (WINDOWS_PROGRAM.test(path)) return [path];
  const interpreter = WINDOWS_INTERPRETERS[extname(path).toLowerCase()];
  return interpreter === undefined ? undefined : [interpreter, path];
}

export interface ScriptOptions {
  readonly command: readonly [string, ...string[]];
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
  /** It is ended where nothing came from it or went to it for so long. */
  readonly timeoutMs: number;
  /** Whether it waits for us, and not we for it. */
  readonly isHeldUp: () => boolean;
  readonly platform: NodeJS.Platform;
  /** A line of its standard error, printable. */
  readonly onLine: (line: string) => void;
}

export interface ScriptEnd {
  /** Null where a signal ended it, or it was never started. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Why it could not be started. */
  readonly error?: Error;
}

/** Without a shell, in its own directory, with no arguments, and as the head of a process group of its own. */
export class Script {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** How the program itself ended. */
  readonly ended: Promise<ScriptEnd>;
  /** Resolves when it has ended and nobody writes for it any more: it holds nothing then. */
  readonly over: Promise<void>;
  readonly #options: ScriptOptions;
  readonly #end: (signal: NodeJS.Signals) => void;
  #timer: NodeJS.Timeout;
  #state: 'runs' | 'stops' | 'over' = 'runs';
  #timedOut = false;

  constructor(options: ScriptOptions) {
    this.#options = options;
    const { command, path, environment, platform } = options;
    const [program, ...args] = command;
    const settings = {
      cwd: dirname(path),
      env: environment,
      extendEnv: false,
      buffer: false,
      reject: false,
      detached: platform !== 'win32',
      windowsHide: true,
    } as const;
    const child = startedBy(program, () => execa(program, args, settings));
    const { stdin, stdout, stderr } = child;
    for (const stream of [stdin, stdout, stderr]) stream.on('error', () => undefined);
    this.stdin = stdin;
    this.stdout = stdout;
    this.#end = (signal) => {
      if (platform === 'win32' || child.pid === undefined) child.kill(signal);
      else endGroup(child.pid, signal);
    };
    this.#timer = setTimeout(() => this.#idle(), options.timeoutMs);
    this.ended = new Promise((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
      child.then(({ exitCode, cause }) => {
        if (exitCode === undefined && cause instanceof Error) resolve({ exitCode: null, signal: null, error: cause });
      });
    });
    this.over = this.#whenOver(stderr);
    this.#tell(stderr);
  }

  /** It was ended because nothing came or went for too long. */
  get timedOut(): boolean {
    return this.#timedOut;
  }

  /** Something came or went. */
  moved(): void {
    if (this.#state === 'runs') this.#timer.refresh();
  }

  /** Ends it and all that it started: at once, or after a second in which it may end by itself. */
  stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): void {
    if (this.#state === 'over' || (this.#state === 'stops' && signal === 'SIGTERM')) return;
    this.#state = 'stops';
    clearTimeout(this.#timer);
    this.#end(signal);
    if (signal === 'SIGTERM') this.#timer = setTimeout(() => this.stop('SIGKILL'), GRACE_MS);
    this.stdin.destroy();
    this.stdout.destroy();
  }

  #idle(): void {
    if (this.#options.isHeldUp()) {
      this.#timer.refresh();
      return;
    }
    this.#timedOut = true;
    this.stop();
  }

  async #whenOver(stderr: Readable): Promise<void> {
    const closed = new Promise<void>((resolve) => this.stdout.once('close', resolve));
    const { error } = await this.ended;
    if (error) this.stdout.destroy();
    await closed;
    this.#state = 'over';
    clearTimeout(this.#timer);
    this.stdin.destroy();
    // What it left behind may hold it open for ever.
    setTimeout(() => stderr.destroy(), LAST_WORDS_MS).unref();
  }

  #tell(stderr: Readable): void {
    let lines = 0;
    tellLines(stderr, (line) => {
      lines += 1;
      if (lines <= MOST_LINES) this.#options.onLine(line);
      if (lines === MOST_LINES) this.#options.onLine('what it says after this is left out');
    });
  }
}

/** A group may be gone already. */
function endGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}
