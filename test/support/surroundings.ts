/** A process for a command under test: its streams are kept in memory. */
import { PassThrough, Writable } from 'node:stream';
import type { Output, Surroundings } from '#xfer/cli/surroundings.js';

export interface Captured extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  text(): string;
}

/** Keeps what is written to it. */
export function captured(terminal: { isTTY?: boolean; columns?: number } = {}): Captured {
  const chunks: Buffer[] = [];
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return Object.assign(output, terminal, { text: () => Buffer.concat(chunks).toString() });
}

export interface TestSurroundings extends Surroundings {
  readonly stdin: PassThrough;
  readonly stdout: Output & Captured;
  readonly stderr: Output & Captured;
  readonly stop: AbortController;
}

export function testSurroundings(given: Partial<Surroundings> = {}): TestSurroundings {
  const stop = new AbortController();
  return {
    env: {},
    platform: process.platform,
    homeDirectory: '/nonexistent',
    version: '0.0.0-test',
    signal: stop.signal,
    interrupt: () => stop.abort(),
    ...given,
    stdin: new PassThrough(),
    stdout: captured(),
    stderr: captured(),
    stop,
  };
}
