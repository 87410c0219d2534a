/** The process: its words, its signals, its streams and its exit. Nothing else of xfer touches them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SIGNAL_EXITS, toXferError } from '../errors.js';
import { readVersion } from '../version.js';
import { setEngineFlags } from './engine-flags.js';
import { startedByNohup } from './hang-up.js';
import { freshLine } from './render/fresh-line.js';
import { Stopped } from './stopped.js';
import type { Surroundings } from './surroundings.js';
import { typedWords } from './typed-words.js';

/** 128 and the number of SIGPIPE: what the reader of a pipe that went away leaves behind. */
const BROKEN_PIPE_EXIT = 141;

/** One Ctrl-C comes twice where npx or timeout(1) passes it on that the terminal has sent to both. */
const ONE_PRESS_MS = 200;

setEngineFlags();
const words = typedWords(process.argv);
/** The first write to standard output that failed. */
let lostOutput: NodeJS.ErrnoException | undefined;
let interruptedAtMs = Number.NEGATIVE_INFINITY;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  lostOutput ??= error;
});
/** Outputs to which a command has written all. */
const ended = new Set<NodeJS.WriteStream>();
process.stdout.once('finish', () => ended.add(process.stdout));
// A title of our own takes the place of the command line in the list of processes.
if (words.some((word) => /^--key(?:=|$)/.test(word)) && words[0] !== 'serve') process.title = `xfer ${words[0]}`;
if (words[0] === '--version' || words[0] === '-V') {
  process.stdout.write(`${readVersion()}\n`);
  await end(0);
} else await main();

async function main(): Promise<void> {
  const stop = new AbortController();
  for (const signal of Object.keys(SIGNAL_EXITS) as (keyof typeof SIGNAL_EXITS)[]) {
    const isMeant = signal !== 'SIGHUP' || !startedByNohup(process.env);
    process.on(signal, () => isMeant && interrupt(stop, signal));
  }
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') stop.abort(new Stopped('', BROKEN_PIPE_EXIT));
    });
  }
  const [{ homeDirectory }, { run, bugReport }, { takeInheritedSockets }] = await Promise.all([
    import('../local-user.js'),
    import('./run.js'),
    import('./inherited-sockets.js'),
  ]);
  const around: Surroundings = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    platform: process.platform,
    homeDirectory: homeDirectory(),
    version: readVersion(),
    inheritedSockets: takeInheritedSockets(process.env, process.pid),
    signal: stop.signal,
    interrupt: () => interrupt(stop, 'SIGINT'),
  };
  process.on('uncaughtException', (error) => {
    process.stderr.write(bugReport(error, around));
    process.exit(1);
  });
  await end(await run(words, around));
}

/** A command that did its work has failed all the same where what it printed is lost. */
async function end(code: number): Promise<never> {
  await flushed(process.stdout);
  // A write that failed at once is told a turn later.
  await nextTurn();
  const exitCode = code === 0 && lostOutput ? sayLost(lostOutput) : code;
  await flushed(process.stderr);
  process.exit(exitCode);
}

/** Says why standard output took no more, unless its reader went away; gives the exit code for it. */
function sayLost(error: NodeJS.ErrnoException): number {
  if (error.code === 'EPIPE') return BROKEN_PIPE_EXIT;
  const { message, exitCode } = toXferError(error, 'write standard output');
  process.stderr.write(`xfer: ${message}\n`);
  return exitCode;
}

/** The first asks the command to end tidily; the second does not wait for it. */
function interrupt(stop: AbortController, signal: keyof typeof SIGNAL_EXITS): void {
  if (stop.signal.aborted) {
    if (performance.now() - interruptedAtMs < ONE_PRESS_MS) return;
    process.stderr.write(freshLine(process.stderr, process.env));
    process.exit(SIGNAL_EXITS[signal]);
  }
  interruptedAtMs = performance.now();
  stop.abort(new Stopped(`stopped by ${signal}`, SIGNAL_EXITS[signal]));
}

/** Exit cuts what a pipe has not taken yet on some systems. One that was ended is whole, though Node takes it for open again. */
function flushed(output: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    // A full device refuses even nothing.
    if (output.writableLength > 0 && !ended.has(output)) output.write('', () => resolve());
    else resolve();
  });
}
