/** What the bodies of frames hold (FRAMES.md, "Bodies"). */
import { randomBytes } from 'node:crypto';
import { ERROR_CODES, type ErrorCode, XferError } from '../../../errors.js';
import { pathParts } from '../../../names.js';
import type { ByteRange, Entry, EntryKind, SinkCapabilities } from '../../../transport.js';
import { BodyReader, BodyWriter } from './body.js';
import type { SealedRole } from './key.js';

export const PROTOCOL_VERSION = 1;
const SESSION_BYTES = 16;
/** A draft that was left has few holes, and a sender needs no more of them than this. */
const MOST_RANGES = 1000;
/** Things that an offer names; the others are counted. */
export const MOST_OFFERED = 200;
/** Of words, which one `put` brings. */
export const MOST_TEXT_BYTES = 64 << 10;

const ROLES: readonly SealedRole[] = ['sender', 'receiver', 'pipe'];
const KINDS: readonly EntryKind[] = ['file', 'directory', 'symlink'];
const OFFERED_KINDS: readonly OfferedKind[] = [...KINDS, 'text'];
const CAPABILITIES = ['offsets', 'atomic', 'resume', 'parallel', 'metadata'] as const;

/** The first frame of each end on each connection. */
export interface Hello {
  readonly version: number;
  readonly role: SealedRole;
  /** Chosen by the end that connects; connections with the same one work together. */
  readonly session: Buffer;
  /** Of the end that connects: others of the session are open. Else it has lost those that there were. */
  readonly joins?: boolean;
  /** The receiver's: what its target is and can do. */
  readonly target?: Target;
}

export interface Target {
  /** Names the place so that no other place has the same. */
  readonly identity: string;
  readonly capabilities: SinkCapabilities;
}

const HELLO = { target: 1, joins: 2 };

/** A new session's number. */
export function newSession(): Buffer {
  return randomBytes(SESSION_BYTES);
}

export function encodeHello(hello: Hello): Buffer {
  const has = (hello.target ? HELLO.target : 0) | (hello.joins ? HELLO.joins : 0);
  const body = new BodyWriter().u16(hello.version).u8(ROLES.indexOf(hello.role)).raw(hello.session).u8(has);
  if (!hello.target) return body.bytes();
  const { identity, capabilities } = hello.target;
  const flags = CAPABILITIES.reduce((sum, name, bit) => sum | (capabilities[name] ? 1 << bit : 0), 0);
  return body
    .text(identity)
    .u8(flags | (capabilities.once ? 1 << CAPABILITIES.length : 0))
    .bytes();
}

/** PROTOCOL where it is none, UNSUPPORTED where it is of another version. */
export function decodeHello(bytes: Buffer): Hello {
  const body = new BodyReader(bytes);
  const version = body.u16();
  if (version !== PROTOCOL_VERSION) {
    throw new XferError(
      'UNSUPPORTED',
      `the other end speaks version ${version} of this protocol, not ${PROTOCOL_VERSION}`,
      { hint: 'use the same version of xfer on both machines' },
    );
  }
  const role = pick(ROLES, body.u8(), 'role');
  const session = body.raw(SESSION_BYTES);
  const holds = body.u8();
  const joins = (holds & HELLO.joins) !== 0 ? { joins: true } : {};
  const target = (holds & HELLO.target) !== 0 ? { target: readTarget(body) } : {};
  body.end();
  return { version, role, session, ...joins, ...target };
}

function readTarget(body: BodyReader): Target {
  const identity = body.text();
  const flags = body.u8();
  const has = (bit: number) => (flags & (1 << bit)) !== 0;
  const capabilities = {
    offsets: has(0),
    atomic: has(1),
    resume: has(2),
    parallel: has(3),
    metadata: has(4),
    ...(has(CAPABILITIES.length) ? { once: true } : {}),
  };
  return { identity, capabilities };
}

const FIELD = { size: 1, mtimeMs: 2, atimeMs: 4, mode: 8, target: 16, version: 32 };

/** An entry, with the rest of the body left to be written or read. */
export function writeEntry(body: BodyWriter, entry: Entry): BodyWriter {
  const { size, mtimeMs, atimeMs, mode, target, version } = entry;
  const fields =
    (size === undefined ? 0 : FIELD.size) |
    (mtimeMs === undefined ? 0 : FIELD.mtimeMs) |
    (atimeMs === undefined ? 0 : FIELD.atimeMs) |
    (mode === undefined ? 0 : FIELD.mode) |
    (target === undefined ? 0 : FIELD.target) |
    (version === undefined ? 0 : FIELD.version);
  body.u8(KINDS.indexOf(entry.kind)).u8(fields).text(entry.path);
  if (size !== undefined) body.u64(size);
  if (mtimeMs !== undefined) body.f64(mtimeMs);
  if (atimeMs !== undefined) body.f64(atimeMs);
  if (mode !== undefined) body.u16(mode & 0o7777);
  if (target !== undefined) body.text(target);
  if (version !== undefined) body.text(version);
  return body;
}

/** PROTOCOL where it is none. UNSAFE_PATH where its path is not one below a root. */
export function readEntry(body: BodyReader): Entry {
  const kind = pick(KINDS, body.u8(), 'kind of entry');
  const fields = body.u8();
  const path = body.text();
  const has = (bit: number) => (fields & bit) !== 0;
  const entry: Entry = {
    path,
    kind,
    ...(has(FIELD.size) ? { size: body.u64() } : {}),
    ...(has(FIELD.mtimeMs) ? { mtimeMs: body.f64() } : {}),
    ...(has(FIELD.atimeMs) ? { atimeMs: body.f64() } : {}),
    ...(has(FIELD.mode) ? { mode: body.u16() & 0o7777 } : {}),
    ...(has(FIELD.target) ? { target: body.text() } : {}),
    ...(has(FIELD.version) ? { version: body.text() } : {}),
  };
  checkPath(path);
  return entry;
}

/** UNSAFE_PATH where a path is not one below a root. */
export function checkPath(path: string): void {
  if (!pathParts(path)) throw new XferError('UNSAFE_PATH', `name ${path}: leaves its directory`);
}

/** What a sender is about to send. */
export interface Offer {
  /** The first ones, by their own names. */
  readonly things: readonly Offered[];
  /** All of them. */
  readonly count: number;
}

/** A thing to be made, or words, which are shown to a person and kept nowhere. */
export type OfferedKind = EntryKind | 'text';

export interface Offered {
  /** Text from outside; `''` for what has no name. */
  readonly name: string;
  readonly kind: OfferedKind;
  /** Bytes of a file, where they are known. */
  readonly size?: number;
}

export function encodeOffer({ things, count }: Offer): Buffer {
  const told = things.slice(0, MOST_OFFERED);
  const body = new BodyWriter().u32(count).u16(told.length);
  for (const { name, kind, size } of told) {
    body.u8(OFFERED_KINDS.indexOf(kind)).u8(size === undefined ? 0 : 1);
    if (size !== undefined) body.u64(size);
    body.text(name);
  }
  return body.bytes();
}

export function decodeOffer(bytes: Buffer): Offer {
  const body = new BodyReader(bytes);
  const count = body.u32();
  const told = body.u16();
  if (told > MOST_OFFERED || told > count) throw new XferError('PROTOCOL', `offer: names ${told} of ${count} things`);
  const things: Offered[] = [];
  for (let at = 0; at < told; at += 1) {
    const kind = pick(OFFERED_KINDS, body.u8(), 'kind of thing');
    const size = body.u8() === 0 ? undefined : body.u64();
    things.push({ name: body.text(), kind, ...(size === undefined ? {} : { size }) });
  }
  body.end();
  const text = things.find(({ kind }) => kind === 'text');
  if (text && (count !== 1 || text.size === undefined || text.size > MOST_TEXT_BYTES)) {
    throw new XferError('PROTOCOL', `offer: words come alone, and are at most ${MOST_TEXT_BYTES} bytes`);
  }
  return { things, count };
}

export function encodeRanges(ranges: readonly ByteRange[]): Buffer {
  const told = ranges.slice(0, MOST_RANGES);
  const body = new BodyWriter().u16(told.length);
  for (const { start, end = start } of told) body.u64(start).u64(end);
  return body.bytes();
}

export function readRanges(body: BodyReader): ByteRange[] {
  const count = body.u16();
  if (count > MOST_RANGES) throw new XferError('PROTOCOL', `draft: ${count} ranges are too many`);
  return Array.from({ length: count }, () => ({ start: body.u64(), end: body.u64() }));
}

/** An error, to be told to the other end. */
export function encodeFailure(error: XferError): Buffer {
  const cut = (text: string) => text.slice(0, 1000);
  return new BodyWriter()
    .text(error.code)
    .text(cut(error.message))
    .text(cut(error.hint ?? ''))
    .bytes();
}

/** The other end's error; INTERNAL there is PROTOCOL here, since it is no bug of this end. */
export function decodeFailure(bytes: Buffer): XferError {
  const body = new BodyReader(bytes);
  const [code, message, hint] = [body.text(), body.text(), body.text()];
  body.end();
  const known = Object.hasOwn(ERROR_CODES, code) && code !== 'INTERNAL' && code !== 'USAGE';
  return new XferError(known ? (code as ErrorCode) : 'PROTOCOL', message, { hint: hint === '' ? undefined : hint });
}

function pick<T>(table: readonly T[], index: number, what: string): T {
  const found = table[index];
  if (found === undefined) throw new XferError('PROTOCOL', `frame: ${what} ${index} is not known`);
  return found;
}
