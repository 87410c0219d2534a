/** One pairing of the matrix: xfer in one role, a program in the other, and what became of the bytes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { after } from 'node:test';
import { run } from '#xfer/cli/run.js';
import { Stopped } from '#xfer/cli/stopped.js';
import { startFaultyProxy } from '../../support/faulty-proxy.js';
import { freePort } from '../../support/free-port.js';
import { startOwnClock } from '../../support/own-clock.js';
import { findProgram } from '../../support/peers.js';
import { testSurroundings } from '../../support/surroundings.js';
import { HOST } from '../../transports/tcp/rig.js';

/** More than a program's buffers and the pipe behind it hold. */
const PAYLOAD = randomBytes(4 * 1024 * 1024);
const DIGEST = sha256(PAYLOAD);
/** An xfer that takes longer hangs, in time that this process was given: what a busy machine keeps from it is not ours. */
const HANG_MS = 10_000;
/** A program that we are done with may take as long as it has to wait for the machine. */
const PROGRAM_MS = 30_000;
const RESET_AFTER_BYTES = 300_000;

export const PAYLOAD_BYTES = PAYLOAD.length;

const folder = mkdtempSync(join(tmpdir(), 'xfer-who-exits-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'payload');
writeFileSync(file, PAYLOAD);
let pairings = 0;

export type Role = 'send' | 'recv' | 'pipe out' | 'pipe in';
export type How = 'connect' | 'listen';
/** How it ends: in order, the program killed half-way, the connection reset half-way, or the receiver's disk full. */
export type Ending = 'in order' | 'kill' | 'reset' | 'disk full';

export interface Pairing {
  readonly role: Role;
  /** What the program does; xfer does the other. */
  readonly peerDoes: How;
  readonly program: string;
  readonly args: (port: string) => string[];
  /** The standard input of a program that receives, or of an `xfer pipe` that does. */
  readonly stdin: 'open' | 'null';
  readonly ending: Ending;
  /** Further words for xfer. */
  readonly words?: readonly string[];
}

export interface Outcome {
  /** Exit code of xfer; undefined where it hung. */
  readonly exit: number | undefined;
  /** Every byte arrived. */
  readonly isWhole: boolean;
  /** Our receiver left nothing in its directory. */
  readonly isAbsent: boolean;
  /** What xfer took, of the time that this process was given. */
  readonly ownMs: number;
  readonly said: string;
}

export type Verdict = 'whole' | 'said so' | 'silent loss' | 'hangs';

/** What a person would call it. */
export function verdictOf({ exit, isWhole }: Outcome): Verdict {
  if (exit === undefined) return 'hangs';
  if (exit !== 0) return 'said so';
  return isWhole ? 'whole' : 'silent loss';
}

export async function pair(pairing: Pairing): Promise<Outcome> {
  pairings += 1;
  const own = join(folder, `${pairings}`);
  mkdirSync(own);
  const out = join(own, 'out');
  const stop = new AbortController();
  const ends = await meet(pairing, out, stop.signal);
  const clock = startOwnClock(HANG_MS, () => stop.abort(new Stopped('hung', 99)));
  const code = await ends.xfer;
  const ownMs = clock.stop();
  const exit = stop.signal.aborted ? undefined : code;
  // What ends an end of its own accord is not to be judged by what the test does to it.
  if (exit === 0) await Promise.race([ends.program.ended, once(AbortSignal.timeout(PROGRAM_MS), 'abort')]);
  await ends.stop();
  const received = receives(pairing.role) ? readIfThere(out, ends.output) : await ends.program.output;
  const left = readdirSync(own);
  return {
    exit,
    isWhole: received !== undefined && sha256(received) === DIGEST,
    isAbsent: left.length === 0,
    ownMs,
    said: ends.said(),
  };
}

function receives(role: Role): boolean {
  return role === 'recv' || role === 'pipe in';
}

function readIfThere(out: string, output: Buffer[]): Buffer | undefined {
  if (output.length > 0) return Buffer.concat(output);
  try {
    return readFileSync(out);
  } catch {
    return undefined;
  }
}

interface Ends {
  readonly xfer: Promise<number>;
  readonly program: Program;
  /** Standard output of an `xfer pipe`. */
  readonly output: Buffer[];
  said(): string;
  stop(): Promise<void>;
}

async function meet(pairing: Pairing, out: string, signal: AbortSignal): Promise<Ends> {
  const { peerDoes } = pairing;
  const end = xferEnd(pairing, out, signal);
  if (peerDoes === 'listen') {
    const port = await freePort();
    const program = startProgram(pairing, String(port));
    await untilListening(port);
    const line = await faultyLine(pairing, port);
    const xfer = end.start(`${HOST}:${line.port}`);
    return { ...end, xfer, program, stop: () => stopAll(program, line) };
  }
  const xfer = end.start('-l', `${HOST}:0`);
  const line = await faultyLine(pairing, await end.port);
  const program = startProgram(pairing, String(line.port));
  return { ...end, xfer, program, stop: () => stopAll(program, line) };
}

interface Line {
  readonly port: number;
  stop(): Promise<void>;
}

async function stopAll(program: Program, line: Line): Promise<void> {
  await program.stop();
  await line.stop();
}

/** What the connecting end connects to: the other end, or a proxy that resets half-way. */
async function faultyLine({ ending, role, peerDoes }: Pairing, port: number): Promise<Line> {
  if (ending !== 'reset') return { port, stop: async () => {} };
  const connectingSends = receives(role) === (peerDoes === 'connect');
  return startFaultyProxy({
    to: { host: HOST, port },
    way: connectingSends ? 'up' : 'down',
    resetAfterBytes: RESET_AFTER_BYTES,
  });
}

function xferEnd({ role, stdin, ending, words = [] }: Pairing, out: string, signal: AbortSignal) {
  const printed: string[] = [];
  let tellPort: (port: number) => void = () => {};
  const port = new Promise<number>((resolve) => {
    tellPort = resolve;
  });
  const stderr = new Writable({
    write(chunk: Buffer, _encoding, done) {
      printed.push(String(chunk));
      const found = /listening on \S*:(\d+)/.exec(printed.join(''))?.[1];
      if (found !== undefined) tellPort(Number(found));
      done();
    },
  });
  const output: Buffer[] = [];
  const isFull = ending === 'disk full';
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      output.push(Buffer.from(chunk));
      done(isFull ? Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' }) : null);
    },
  });
  const input = new PassThrough();
  if (role === 'pipe out') input.end(PAYLOAD);
  else if (stdin === 'null') input.end();
  const around = { ...testSurroundings({ homeDirectory: folder }), signal, stdin: input, stdout, stderr };
  const start = (...address: string[]) => {
    const name = role.startsWith('pipe') ? 'pipe' : role;
    const target = receives(role) && isFull ? '/dev/full' : role === 'recv' ? out : file;
    return run([name, ...words, ...address, ...(name === 'pipe' ? [] : [target])], around);
  };
  return { start, port, output, said: () => printed.join('') };
}

interface Program {
  readonly child: ChildProcess;
  readonly output: Promise<Buffer>;
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

function startProgram(pairing: Pairing, port: string): Program {
  const { program, args, ending, stdin } = pairing;
  const sends = receives(pairing.role);
  const full = !sends && ending === 'disk full' ? openSync('/dev/full', 'w') : undefined;
  const input = sends && ending !== 'kill' ? openSync(file, 'r') : undefined;
  const child = spawn(findProgram(program) ?? program, args(port), {
    stdio: [input ?? (sends || stdin === 'open' ? 'pipe' : 'ignore'), full ?? 'pipe', 'ignore'],
    env: { ...process.env, SHLVL: '1' },
  });
  for (const descriptor of [full, input]) if (descriptor !== undefined) closeSync(descriptor);
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  if (ending === 'kill') killHalfWay(child, sends);
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { child, output: ended.then(() => Buffer.concat(chunks)), ended, stop };
}

/** A sender is killed once it took half of its input, a receiver once it gives its first bytes. */
function killHalfWay(child: ChildProcess, sends: boolean): void {
  const kill = () => child.kill('SIGKILL');
  if (!sends) child.stdout?.once('data', kill);
  else child.stdin?.write(PAYLOAD.subarray(0, PAYLOAD.length / 2), () => kill());
}

/** Looks whether a program listens, without a connection, which it would take for the one that it waits for. */
async function untilListening(port: number): Promise<void> {
  const place = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} [0-9A-F:]+ 0A `);
  const deadline = performance.now() + PROGRAM_MS;
  while (performance.now() < deadline) {
    const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((table) => readFileSync(table, 'latin1'));
    if (tables.some((table) => place.test(table))) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`nobody listens on port ${port}`);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
