/** Clients that download one URL to one file, going on with what is there. */
import { dirname } from 'node:path';
import { findProgram } from '../../support/peers.js';
import { type RunResult, runProgram, XFER } from '../../support/run-xfer.js';

export interface Client {
  readonly label: string;
  run(url: string, out: string): Promise<RunResult>;
}

const TIME = { timeoutMs: 60_000, env: { no_proxy: '*' } };

function other(program: string, args: (url: string, out: string) => string[]): Client {
  const path = findProgram(program) ?? program;
  return { label: program, run: (url, out) => runProgram(path, args(url, out), TIME) };
}

function own(label: string, ...options: string[]): Client {
  const words = (url: string, out: string) => [XFER, 'get', '-q', '--retry', '1', ...options, '-o', out, url];
  return { label, run: (url, out) => runProgram(process.execPath, words(url, out), TIME) };
}

export const CLIENTS: readonly Client[] = [
  own('xfer get'),
  own('xfer get --parallel 4', '--parallel', '4'),
  other('wget', (url, out) => ['-q', '-c', '--tries=2', '--waitretry=0', '-T', '5', '-O', out, url]),
  other('curl', (url, out) => ['-sS', '-f', '-L', '-C', '-', '--retry', '1', '--max-time', '20', '-o', out, url]),
  other('aria2c', (url, out) => [
    ...['-q', '-c', '-x4', '-k1M', '--max-tries=2', '--retry-wait=0', '-t', '5', '--auto-file-renaming=false'],
    ...['-d', dirname(out), '-o', out.slice(dirname(out).length + 1), url],
  ]),
];
