/** Asks the person at the controlling terminal, or by the program of SSH_ASKPASS. */
import { closeSync, openSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReadStream, WriteStream } from 'node:tty';
import { throwIfAborted } from '../errors.js';
import { printable } from '../names.js';
import type { Prompt, Scope } from '../transport.js';
import { askByProgram, askpassOf } from './askpass.js';
import type { Input, Output, Surroundings } from './surroundings.js';

/** Where a question is written and its answer is read. */
export interface Terminal {
  readonly input: Input;
  readonly output: Output;
  /** Gives the terminal back. */
  release(): unknown;
}

const MAX_ANSWER = 4096;
/** For keys that wait in the system to come. */
const FRESH_MS = 50;
const INTERRUPT = '\u0003';
const END_OF_INPUT = '\u0004';
const ERASE_LINE = '\u0015';

type PromptSurroundings = Pick<Surroundings, 'env' | 'stdin' | 'stderr' | 'platform' | 'interrupt'>;

/**
 * Questions one at a time, a line's answered by what is typed after it shows; on the terminal of standard input or, on
 * POSIX, on `/dev/tty`; by SSH_ASKPASS where ssh would. An answer is undefined where there is neither, and where the person
 * ends the input. An abort rejects with the signal's reason.
 */
export function createPrompt(
  around: PromptSurroundings,
  open: (around: PromptSurroundings) => Terminal | undefined = openTerminal,
): Prompt {
  let last: Promise<unknown> = Promise.resolve();
  const keys = new Keys();
  const ask = (question: string, hidden: boolean, scope: Scope): Promise<string | undefined> => {
    const answer = last.then(() => askOnce(question, hidden, scope));
    last = answer.catch(() => undefined);
    return answer;
  };
  const askOnce = async (question: string, hidden: boolean, { signal }: Scope): Promise<string | undefined> => {
    throwIfAborted(signal);
    const askpass = askpassOf(around.env);
    const terminal = askpass?.beforeTerminal ? undefined : open(around);
    if (!terminal) return askpass && askByProgram(askpass.program, question, around, signal);
    try {
      // What is typed the moment the question shows must not be shown either.
      if (hidden) terminal.input.setRawMode?.(true);
      else {
        keys.take();
        await dropTyped(terminal.input, around.interrupt);
        throwIfAborted(signal);
      }
      terminal.output.write(printable(question));
      return await readAnswer(terminal, keys, hidden, signal, around.interrupt);
    } finally {
      terminal.release();
    }
  };
  return {
    secret: (question, scope) => ask(question, true, scope),
    line: (question, scope) => ask(question, false, scope),
  };
}

function openTerminal({ stdin, stderr, platform }: PromptSurroundings): Terminal | undefined {
  if (stdin.isTTY) return { input: stdin, output: stderr, release: () => stdin.pause() };
  if (platform === 'win32') return undefined;
  let descriptor: number;
  try {
    descriptor = openSync('/dev/tty', 'r+');
  } catch {
    return undefined;
  }
  try {
    const input = new ReadStream(descriptor);
    const output = new WriteStream(openSync('/dev/tty', 'w'));
    return {
      input,
      output,
      release: () => {
        input.destroy();
        output.destroy();
      },
    };
  } catch {
    closeSync(descriptor);
    return undefined;
  }
}

/** What was typed before a question showed is no answer to it, as for OpenSSH (readpassphrase(3), TCSAFLUSH). */
async function dropTyped(input: Input, interrupt: () => void): Promise<void> {
  const drop = (chunk: Buffer): void => {
    if (chunk.includes(INTERRUPT)) interrupt();
  };
  // Not raw, the system would keep a line that has no end yet.
  input.setRawMode?.(true);
  input.on('data', drop).resume();
  await sleep(FRESH_MS);
  input.off('data', drop).setRawMode?.(false);
}

function readAnswer(
  terminal: Terminal,
  keys: Keys,
  hidden: boolean,
  signal: AbortSignal,
  interrupt: () => void,
): Promise<string | undefined> {
  const { input } = terminal;
  let answer = '';
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void, entered = false): void => {
      input.off('data', take).off('end', giveUp).off('error', fail);
      signal.removeEventListener('abort', abort);
      release(terminal, hidden, entered);
      finish();
    };
    const abort = (): void => settle(() => reject(signal.reason));
    const fail = (error: Error): void => settle(() => reject(error));
    const giveUp = (): void => settle(() => resolve(undefined));
    const take = (chunk: Buffer): void => {
      keys.add(chunk);
      look();
    };
    const look = (): void => {
      const typed = typeOn(answer, keys.take(), hidden);
      answer = typed.answer;
      keys.putBack(typed.ahead);
      if (typed.end === 'enter') settle(() => resolve(answer), true);
      else if (typed.end === 'give up') giveUp();
      else if (typed.end === 'interrupt') interrupt();
    };
    signal.addEventListener('abort', abort, { once: true });
    input.on('data', take).once('end', giveUp).once('error', fail);
    input.resume();
    if (input.readableEnded) giveUp();
    else look();
  });
}

function release({ input, output }: Terminal, hidden: boolean, entered: boolean): void {
  if (hidden) input.setRawMode?.(false);
  // Only an Enter that the terminal itself shows ends the line of the question.
  if (hidden || !entered) output.write('\n');
  input.pause();
}

/** Keys that no question has taken yet: what is pasted may answer several. */
class Keys {
  readonly #decoder = new StringDecoder('utf8');
  #waiting = '';

  add(chunk: Buffer): void {
    this.#waiting += this.#decoder.write(chunk);
  }

  take(): string {
    const keys = this.#waiting;
    this.#waiting = '';
    return keys;
  }

  /** As much of them as one answer may have. */
  putBack(keys: string): void {
    this.#waiting = keys.slice(0, MAX_ANSWER);
  }
}

interface Typed {
  readonly answer: string;
  readonly end?: 'enter' | 'give up' | 'interrupt';
  /** Keys after that end. */
  readonly ahead: string;
}

/** The answer after more keys. In raw mode Ctrl-C, Ctrl-D, Ctrl-U and the erase key are ours to understand. */
function typeOn(before: string, keys: string, raw: boolean): Typed {
  let answer = before;
  let at = 0;
  for (const key of keys) {
    at += key.length;
    if (key === '\r' || key === '\n') return { answer, end: 'enter', ahead: afterEnter(keys, at) };
    if (!raw) answer += key;
    else if (key === INTERRUPT) return { answer, end: 'interrupt', ahead: '' };
    else if (key === END_OF_INPUT) return { answer, end: 'give up', ahead: '' };
    else if (key === ERASE_LINE) answer = '';
    else if (key === '\u007f' || key === '\b') answer = [...answer].slice(0, -1).join('');
    else answer += key;
    if (answer.length > MAX_ANSWER) answer = answer.slice(0, MAX_ANSWER);
  }
  return { answer, ahead: '' };
}

/** A carriage return and the line feed after it are one Enter; `at` is after the first. */
function afterEnter(keys: string, at: number): string {
  return keys.slice(keys.startsWith('\r\n', at - 1) ? at + 1 : at);
}
