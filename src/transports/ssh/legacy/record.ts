/** The lines of the old scp protocol, as scp.c of OpenSSH writes and reads them: `source()`, `rsource()` and `sink()`. */
import { type ErrorCode, XferError } from '../../../errors.js';
import { bytesFromName, nameFromBytes } from '../../../names.js';
import type { Entry } from '../../../transport.js';

/** What a sender announces. Names are not checked yet. */
export interface AnnouncedThing {
  readonly kind: 'file' | 'directory';
  readonly mode: number;
  readonly size: number;
  readonly name: string;
}

/** What a `T` line carries: of these both, or none. */
export type Times = Pick<Entry, 'mtimeMs' | 'atimeMs'>;

export type LegacyRecord =
  | AnnouncedThing
  | { readonly kind: 'times'; readonly mtimeMs: number; readonly atimeMs: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'warning' | 'fatal'; readonly text: string };

export const OK = Buffer.from([0]);
export const END = Buffer.from('E\n');
const WARNING = 1;
const FATAL = 2;
/** The longest of a message that is kept. */
const LONGEST_TEXT = 500;
const LONGEST_NAME = 4096;

/** What a line says. PROTOCOL for what is none of the protocol's. */
export function parseRecord(line: Buffer): LegacyRecord {
  if (line[0] === WARNING || line[0] === FATAL) {
    return { kind: line[0] === WARNING ? 'warning' : 'fatal', text: farText(line.subarray(1)) };
  }
  const text = line.toString('latin1');
  if (text === 'E') return { kind: 'end' };
  const times = /^T(\d{1,12}) (\d{1,6}) (\d{1,12}) (\d{1,6})$/.exec(text);
  if (times) {
    const [mtime, mtimeMicros, atime, atimeMicros] = times.slice(1).map(Number) as [number, number, number, number];
    return { kind: 'times', mtimeMs: timeMs(mtime, mtimeMicros), atimeMs: timeMs(atime, atimeMicros) };
  }
  const thing = /^([CD])([0-7]{4}) (\d{1,20}) /.exec(text);
  if (!thing) throw notARecord(line);
  const [head, letter, mode, digits] = thing as unknown as [string, string, string, string];
  const size = Number(digits);
  if (!Number.isSafeInteger(size)) throw notARecord(line);
  const kind = letter === 'C' ? 'file' : 'directory';
  return { kind, mode: Number.parseInt(mode, 8), size, name: nameFromBytes(line.subarray(head.length)) };
}

function timeMs(seconds: number, microseconds: number): number {
  return seconds * 1000 + Math.floor(microseconds / 1000);
}

function notARecord(line: Buffer): XferError {
  const text = farText(line);
  return new XferError('PROTOCOL', `read the old scp protocol: ${text === '' ? 'an empty line' : text} came`, {
    hint: 'the far shell must print nothing at its start, and the far scp must be one that speaks this protocol',
  });
}

/** Why a name from a sender may not be used, or undefined. */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'an empty name';
  if (name === '.' || name === '..') return `the name ${name}`;
  if (name.includes('/')) return `the name ${name}, which holds a /`;
  if (name.includes('\0')) return `the name ${name}, which holds a NUL byte`;
  return bytesFromName(name).length > LONGEST_NAME ? 'a name that is too long' : undefined;
}

/** A `C` or `D` line. UNSAFE_PATH for a name that the protocol cannot carry. */
export function thingLine({ kind, mode, size, name }: AnnouncedThing): Buffer {
  const fault = nameFault(name) ?? (name.includes('\n') ? 'a name with a line feed' : undefined);
  if (fault) throw new XferError('UNSAFE_PATH', `send ${name}: the old scp protocol cannot carry ${fault}`);
  const letter = kind === 'file' ? 'C' : 'D';
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  return Buffer.concat([Buffer.from(`${letter}${octal} ${size} `), bytesFromName(name), Buffer.from('\n')]);
}

/** A `T` line; undefined without a time of change. */
export function timesLine({ mtimeMs, atimeMs = mtimeMs }: Times): Buffer | undefined {
  if (mtimeMs === undefined || atimeMs === undefined) return undefined;
  const seconds = (time: number): number => Math.max(0, Math.floor(time / 1000));
  return Buffer.from(`T${seconds(mtimeMs)} 0 ${seconds(atimeMs)} 0\n`);
}

/** An answer, or a line on its own, that says what went wrong; after a fatal one nothing more comes. */
export function messageLine(text: string, fatal = false): Buffer {
  const line = text.replaceAll('\n', ' ').slice(0, LONGEST_TEXT);
  return Buffer.concat([Buffer.from([fatal ? FATAL : WARNING]), Buffer.from(`scp: ${line}\n`)]);
}

function farText(bytes: Buffer): string {
  return nameFromBytes(bytes.subarray(0, LONGEST_TEXT)).trim();
}

/** The system's words, which are all that a far scp gives. */
const WORDS: readonly [RegExp, ErrorCode][] = [
  [/no such file|not found|no match/i, 'NOT_FOUND'],
  [/no space|disk (is )?full|quota/i, 'NO_SPACE'],
  [/permission denied|not permitted|read-only/i, 'DENIED'],
  [/is a directory|not a directory|exists|ambiguous target/i, 'EXISTS'],
  [/not a regular file|unknown option|illegal option|usage:/i, 'UNSUPPORTED'],
];

/** What the far side said as an error: `what` is `read` or `write`, and `otherwise` the code for other words. */
export function farError(what: string, text: string, otherwise: ErrorCode): XferError {
  const code = WORDS.find(([words]) => words.test(text))?.[1] ?? otherwise;
  const said = text.replace(/^scp: /, '');
  return new XferError(code, `${what} ${said === '' ? 'there: the far scp failed without a reason' : said}`);
}
