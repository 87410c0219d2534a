/** What a server takes at once. */
import type { PacketReader } from './codec.js';

export interface Limits {
  /** Most bytes that one READ may ask for, and one WRITE may carry. */
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly openHandles: number;
}

/** What a person asks for instead of what the server takes at most (scp's `-X`). */
export interface Tuning {
  /** Requests on their way at once on one file. */
  readonly requests?: number;
  /** Bytes of one request at most. */
  readonly requestBytes?: number;
}

/** Bytes of one file on their way at once, where nobody asks for another number. */
export const WINDOW_BYTES = 4 * 1024 * 1024;
/** What ssh2 lets come over one channel before it must hear from us. */
export const CHANNEL_WINDOW_BYTES = 2 << 20;

/** Bytes of one file on their way at once, in requests of so many bytes. */
export function windowBytes(requestBytes: number, { requests }: Tuning): number {
  return requests === undefined ? WINDOW_BYTES : requests * requestBytes;
}

/** Limits no larger than what is asked for. */
export function tuned(limits: Limits, { requestBytes = Number.POSITIVE_INFINITY }: Tuning): Limits {
  const { readBytes, writeBytes, openHandles } = limits;
  return { readBytes: Math.min(readBytes, requestBytes), writeBytes: Math.min(writeBytes, requestBytes), openHandles };
}

/** Of a server that states no limits: what the draft says that every server takes, and few open files. */
export const PLAIN_LIMITS: Limits = { readBytes: 32 * 1024, writeBytes: 32 * 1024, openHandles: 64 };
/** Up to this round trip, in milliseconds, waiting for an answer costs less than asking for too much ahead. */
export const NEAR_RTT_MS = 3;

const MAX_TRANSFER_BYTES = 255 * 1024;
const MAX_OPEN_HANDLES = 1024;
/**
 * Requests of whole pages: what begins elsewhere in a page than the last one did comes to lie, for some of them, just above
 * its place in the file modulo 4096, and processors of AMD (Zen) take four times as long to copy it there.
 */
const PAGE_BYTES = 4096;

/** The answer to limits@openssh.com, with what it leaves open or overstates made sensible. */
export function readLimits(reader: PacketReader): Limits {
  const packet = reader.limit();
  const [read, write, handles] = [reader.limit(), reader.limit(), reader.limit()];
  const room = packet > 2048 ? packet - 1024 : 32 * 1024;
  const clamp = (value: number) => inPages(Math.max(1024, Math.min(value || 32 * 1024, room, MAX_TRANSFER_BYTES)));
  const openHandles = Math.max(4, Math.min(handles || MAX_OPEN_HANDLES, MAX_OPEN_HANDLES));
  return { readBytes: clamp(read), writeBytes: clamp(write), openHandles };
}

function inPages(bytes: number): number {
  return bytes < PAGE_BYTES ? bytes : bytes - (bytes % PAGE_BYTES);
}
