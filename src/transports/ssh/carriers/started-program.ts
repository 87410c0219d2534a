import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { startedBy } from '../../../started-by.js';
import { tellLines } from '../../../streams/text-lines.js';

/** How a program ended. */
export interface ProgramEnd {
  /** Null where a signal ended it, or it was never started. */
  readonly exitCode: number | null;
  readonly signal: string | undefined;
  /** Why it could not be started. */
  readonly error: Error | undefined;
}

/** How long a program may take to end after its input did, and again after SIGTERM. */
const GRACE_MS = 1000;
/** How long the last words of a program that ended may take: a child that it left behind may hold them open. */
const LAST_WORDS_MS = 200;
const KEPT_LINES = 20;

/** A program that runs on this machine, without a shell, on this terminal. Its standard error is told line by line. */
export class StartedProgram {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: Promise<ProgramEnd>;
  readonly #kill: () => void;
  readonly #lines: string[] = [];
  readonly #said: Promise<void>;
  #stopping: Promise<void> | undefined;

  /** `verbatim` leaves the arguments unquoted on Windows. */
  constructor(program: string, args: readonly string[], onLine?: (line: string) => void, verbatim = false) {
    const options = {
      buffer: false,
      reject: false,
      forceKillAfterDelay: GRACE_MS,
      windowsVerbatimArguments: verbatim,
    } as const;
    const child = startedBy(program, () => execa(program, args, options));
    this.stdin = child.stdin;
    this.stdout = child.stdout;
    this.stderr = child.stderr;
    this.#kill = () => child.kill('SIGTERM');
    this.ended = new Promise((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal: signal ?? undefined, error: undefined }));
      child.then(({ exitCode = null, signal, cause }) => {
        resolve({ exitCode, signal, error: cause instanceof Error ? cause : undefined });
      });
    });
    this.#said = new Promise((resolve) => this.stderr.once('close', resolve));
    this.stdin.on('error', () => undefined);
    tellLines(this.stderr, (line) => {
      this.#lines.push(line);
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
      onLine?.(line);
    });
  }

  /** How it ended and the last lines that it said; undefined where it goes on for more than a second. */
  async end(): Promise<{ readonly end: ProgramEnd; readonly lines: readonly string[] } | undefined> {
    const end = await Promise.race([this.ended, sleep(GRACE_MS, undefined, { ref: false })]);
    if (end) await Promise.race([this.#said, sleep(LAST_WORDS_MS, undefined, { ref: false })]);
    return end && { end, lines: this.#lines };
  }

  /** Ends its input, then, after a second, the program. Resolves when it is gone. May be called twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.stdin.destroy();
    const timer = setTimeout(this.#kill, GRACE_MS);
    await this.ended;
    clearTimeout(timer);
    this.stdout.destroy();
    this.stderr.destroy();
  }
}
