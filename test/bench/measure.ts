/** Takes the time, CPU and memory of programs that do the same job by turns. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { cpuSecondsOf, cpuSecondsOfEndedChildren, processTree, watchMemory } from '../support/processes.js';
import { xferEnvironment } from '../support/run-xfer.js';
import type { LineOptions } from './delay-line.js';
import { runTimeoutMs } from './time-limit.js';

/** One program in a row. */
export interface Contestant {
  readonly label: string;
  /** Not counted: removes what the last run left, starts a listener. */
  prepare?(meter: Meter): Promise<void> | void;
  /** Counted until it resolves, or as many seconds as it resolves with. */
  run(meter: Meter): Promise<void> | Promise<number>;
  /** Throws where what arrived is not what was sent. Asked once, after the warm-up. */
  check(): Promise<void> | void;
}

export interface Row {
  readonly title: string;
  /** 0 where nothing is copied. */
  readonly bytes: number;
  readonly files: number;
  /** What it goes over; undefined is loopback as it is. */
  readonly line: LineOptions | undefined;
  /** Who does not take part, and why. */
  readonly note: string | undefined;
  readonly contestants: readonly Contestant[];
}

/** Rows, and the servers behind them. */
export interface Area {
  readonly rows: readonly Row[];
  /** Long-running servers of a contestant, by its label: what they cost is counted. */
  serversOf?(label: string): readonly number[];
  stop(): Promise<void>;
}

export interface Sample {
  readonly seconds: number;
  readonly cpuSeconds: number | undefined;
  readonly peakMiB: number | undefined;
}

export interface Outcome {
  readonly label: string;
  readonly samples: readonly Sample[];
}

export interface Child {
  readonly process: ChildProcess;
  /** Rejects, with what it printed, where it does not exit with 0. */
  readonly done: Promise<void>;
  /** Resolves when standard error, or output, matches. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

export interface StartOptions {
  readonly inputFile?: string;
  readonly outputFile?: string;
  /** It takes no part itself but loads a server, and is not to be slowed by looks at its memory. */
  readonly load?: boolean;
}

const READY_TIMEOUT_MS = 10_000;

/** Starts the programs of one run, and knows which of them to watch. */
export class Meter {
  readonly pids: number[] = [];
  /** Running servers whose CPU and memory count too. */
  readonly servers: readonly number[];
  readonly #timeoutMs: number;

  /** `timeoutMs`: for each program of the run, after which it is killed. */
  constructor(timeoutMs: number, servers: readonly number[]) {
    this.#timeoutMs = timeoutMs;
    this.servers = servers;
  }

  start(program: string, args: readonly string[], options: StartOptions = {}): Child {
    const input = options.inputFile === undefined ? 'ignore' : openSync(options.inputFile, 'r');
    const output = options.outputFile === undefined ? 'pipe' : openSync(options.outputFile, 'w');
    const child = spawn(program, args, { stdio: [input, output, 'pipe'], env: xferEnvironment() });
    for (const fd of [input, output]) if (typeof fd === 'number') closeSync(fd);
    if (child.pid !== undefined && !options.load) this.pids.push(child.pid);
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#timeoutMs);
    let text = '';
    const waiting = new Set<() => void>();
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        text = (text + chunk.toString()).slice(-10_000);
        for (const look of [...waiting]) look();
      });
    }
    const done = new Promise<void>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        if (code === 0) resolve();
        else reject(new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}:\n${text}`));
      });
    });
    done.catch(() => {});
    const printed = (pattern: RegExp) =>
      new Promise<RegExpExecArray>((resolve, reject) => {
        const giveUp = () => reject(new Error(`${program} never printed ${pattern}:\n${text}`));
        const timer = setTimeout(giveUp, READY_TIMEOUT_MS);
        const look = () => {
          const match = pattern.exec(text);
          if (!match) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(match);
        };
        waiting.add(look);
        look();
        done.then(giveUp, reject);
      });
    return { process: child, done, printed };
  }

  /** Starts a program and waits for its end. */
  async run(program: string, args: readonly string[], options: StartOptions = {}): Promise<void> {
    await this.start(program, args, options).done;
  }
}

function cpuNow(meter: Meter): number | undefined {
  const ended = cpuSecondsOfEndedChildren();
  return ended === undefined
    ? undefined
    : meter.servers.flatMap(processTree).reduce((sum, pid) => sum + (cpuSecondsOf(pid) ?? 0), ended);
}

async function takeSample(contestant: Contestant, meter: Meter): Promise<Sample> {
  const memory = watchMemory(meter.pids, meter.servers);
  try {
    const cpuBefore = cpuNow(meter);
    await contestant.prepare?.(meter);
    const start = performance.now();
    const counted = await contestant.run(meter);
    const seconds = typeof counted === 'number' ? counted : (performance.now() - start) / 1000;
    const cpuAfter = cpuNow(meter);
    const cpuSeconds = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore;
    return { seconds, cpuSeconds, peakMiB: memory.stop() };
  } finally {
    memory.stop();
  }
}

export interface MeasureOptions {
  readonly runs: number;
  /** No new round starts after it, on the clock of `performance.now()`. */
  readonly deadlineMs: number;
  readonly serversOf?: Area['serversOf'];
}

/** One warm-up each, checked; then `runs` rounds in which each has its turn. */
export async function measureRow(row: Row, options: MeasureOptions): Promise<Outcome[]> {
  const timeoutMs = runTimeoutMs(row);
  const sample = (contestant: Contestant) =>
    takeSample(contestant, new Meter(timeoutMs, options.serversOf?.(contestant.label) ?? []));
  for (const contestant of row.contestants) {
    await sample(contestant);
    await contestant.check();
  }
  const samples = new Map<string, Sample[]>(row.contestants.map(({ label }) => [label, []]));
  for (let round = 0; round < options.runs; round++) {
    if (round > 0 && performance.now() > options.deadlineMs) break;
    for (const contestant of row.contestants) {
      samples.get(contestant.label)?.push(await sample(contestant));
    }
  }
  return [...samples].map(([label, taken]) => ({ label, samples: taken }));
}
