/** Files that the tests copy: bytes that look random and are the same for the same seed. */
import { createHash } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import type { DigestAlgorithm, Entry, Scope, Source } from '#xfer/transport.js';

/** One thing that a rig puts where its source reads, or where its sink writes. */
export interface Fixture {
  /** Below the root, as an entry's path; `''` makes the root itself a file. Directories above it are made. */
  readonly path: string;
  /** A file where absent. */
  readonly kind?: 'file' | 'directory' | 'symlink';
  readonly bytes?: Buffer;
  readonly target?: string;
  readonly mode?: number;
  readonly mtimeMs?: number;
}

/** `length` bytes that do not repeat at any block's length; the same for the same seed (xorshift32). */
export function patternBytes(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = seed * 2654435761 || 1;
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state & 0xff;
  }
  return bytes;
}

export function hexDigest(bytes: Buffer, algorithm: DigestAlgorithm = 'sha256'): string {
  return createHash(algorithm).update(bytes).digest('hex');
}

/** Everything that a stream gives. Rejects with its error. */
export async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

/** Every entry of a source, by path. */
export async function collectEntries(source: Source, scope: Scope): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  for await (const entry of source.entries(scope)) found.set(entry.path, entry);
  return found;
}

/** The first entry of a source, which is its root, ready to be read. */
export async function rootEntry(source: Source, scope: Scope): Promise<Entry> {
  for await (const entry of source.entries(scope)) return entry;
  throw new Error('the source has no root');
}

/** Writes and ends a stream; resolves at 'close', which is when the far side holds the bytes. */
export async function feed(stream: Writable, bytes: Buffer, chunkBytes = 48 * 1024): Promise<void> {
  const closed = whenClosed(stream);
  for (let at = 0; at < bytes.length && !stream.destroyed; at += chunkBytes) {
    if (!stream.write(bytes.subarray(at, at + chunkBytes))) await drained(stream);
  }
  if (!stream.destroyed) stream.end();
  await closed;
}

/** Settles with the stream: resolves at 'close', rejects with its error where it had one. */
export function whenClosed(stream: Readable | Writable): Promise<void> {
  const closed = new Promise<void>((resolve, reject) => {
    let failure: Error | undefined = stream.errored ?? undefined;
    const settle = () => (failure ? reject(failure) : resolve());
    stream.on('error', (error) => {
      failure ??= error;
    });
    if (stream.closed) settle();
    else stream.once('close', settle);
  });
  // The caller may look at it only after another wait; an early failure must not count as unhandled.
  closed.catch(() => {});
  return closed;
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      stream.off('drain', go);
      stream.off('close', go);
      resolve();
    };
    stream.on('drain', go);
    stream.on('close', go);
  });
}
