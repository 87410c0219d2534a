/** Runs the built command as a person would, in a home of its own, and says how it ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** The project's root, seen from the compiled `build/support`. */
export const PROJECT = join(import.meta.dirname, '..', '..');
export const XFER = join(PROJECT, 'bin', 'xfer.js');

const home = mkdtempSync(join(tmpdir(), 'xfer-home-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));

export interface RunOptions {
  readonly input?: string | Uint8Array;
  /** Standard input stays open after that, for more. */
  readonly more?: boolean;
  readonly cwd?: string;
  /** Added to an environment without proxies, whose HOME and XDG_STATE_HOME are empty and end with the test. */
  readonly env?: Record<string, string>;
  /** 30,000 where absent; the run is killed and the promise rejects after it. */
  readonly timeoutMs?: number;
  /** Asked every few milliseconds; true kills the command with SIGKILL. */
  readonly killWhen?: () => boolean;
}

export interface RunResult {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export function xferEnvironment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { SSH_AUTH_SOCK: _agent, SSH_ASKPASS: _askpass, XFER_KEY: _key, ...all } = process.env;
  const rest = Object.fromEntries(Object.entries(all).filter(([name]) => !/_proxy$/i.test(name)));
  return { ...rest, HOME: home, USERPROFILE: home, XDG_STATE_HOME: join(home, 'state'), NO_COLOR: '1', ...extra };
}

/** Runs any program to its end. Rejects where it cannot be started or takes longer than its time. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const child = execa(program, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: xferEnvironment(options.env),
    extendEnv: false,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    encoding: 'buffer',
    stripFinalNewline: false,
    maxBuffer: Number.MAX_SAFE_INTEGER,
    timeout: options.timeoutMs ?? 30_000,
    killSignal: 'SIGKILL',
    reject: false,
  });
  const { killWhen } = options;
  const killer = killWhen && setInterval(() => killWhen() && child.kill('SIGKILL'), 2);
  const ended = await child;
  clearInterval(killer);
  const stderr = Buffer.from(ended.stderr ?? []).toString();
  if (ended.timedOut) throw new Error(`${program} ${args.join(' ')}: not done in time\n${stderr}`);
  if (ended.exitCode === undefined && ended.signal === undefined) throw ended;
  const { exitCode = null, signal = null } = ended;
  return { exitCode, signal: signal as NodeJS.Signals | null, stdout: Buffer.from(ended.stdout ?? []), stderr };
}

/** `xfer ...args`, to its end. */
export function runXfer(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return runProgram(process.execPath, [XFER, ...args], options);
}

export interface Started {
  readonly child: ChildProcess;
  /** All that was printed so far, on both outputs. */
  output(): string;
  /** The first match in what was or will be printed; rejects where the program ends, or 10 s pass, without one. */
  waitForLine(pattern: RegExp): Promise<RegExpExecArray>;
  readonly exited: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>;
  /** Ends it, and resolves when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a program that runs until it is stopped. */
export function startProgram(program: string, args: readonly string[], options: RunOptions = {}): Started {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: xferEnvironment(options.env),
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.on('error', () => {});
  if (options.more) child.stdin?.write(options.input ?? '');
  else child.stdin?.end(options.input);
  let text = '';
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of [...listeners]) listener();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      changed();
    });
  }
  let ended = false;
  const exited = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    const end = (exitCode: number | null, signal: NodeJS.Signals | null) => {
      ended = true;
      changed();
      resolve({ exitCode, signal });
    };
    child.on('error', () => end(null, null));
    child.on('close', end);
  });
  const waitForLine = (pattern: RegExp) =>
    waitForMatch(
      () => pattern.exec(text),
      () => ended,
      listeners,
      () => `${program} ${args.join(' ')} never printed ${pattern}:\n${text}`,
    );
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (!ended) child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await exited;
    clearTimeout(timer);
  };
  return { child, output: () => text, waitForLine, exited, stop };
}

function waitForMatch(
  find: () => RegExpExecArray | null,
  hasEnded: () => boolean,
  listeners: Set<() => void>,
  complaint: () => string,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const finish = (match: RegExpExecArray | null) => {
      listeners.delete(check);
      clearTimeout(timer);
      if (match) resolve(match);
      else reject(new Error(complaint()));
    };
    const check = () => {
      const match = find();
      if (match || hasEnded()) finish(match);
    };
    const timer = setTimeout(() => finish(null), 10_000);
    listeners.add(check);
    check();
  });
}

/** `xfer ...args`, until stopped. */
export function startXfer(args: readonly string[], options: RunOptions = {}): Started {
  return startProgram(process.execPath, [XFER, ...args], options);
}
