/** An archive as an open file: its bytes are made while they are read. */
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { XferError } from '../../../../errors.js';
import type { ByteRange, Entry } from '../../../../transport.js';
import type { Sharing } from '../sharing.js';
import type { Checksums } from './checksums.js';
import type { Layout, Part } from './layout.js';
import { type Manifest, markOf } from './manifest.js';

/** Files up to this length are read before their turn; pieces are joined to more, so that no header is a packet of its own. */
const SMALL_BYTES = 64 * 1024;
/** Parts that are looked at before their turn: eight small files, with what stands before and behind each. */
const PARTS_AHEAD = 24;
/** Pieces that are ready before they are asked for. */
const PIECES_AHEAD = 2;

export interface Archive {
  readonly sharing: Sharing;
  readonly manifest: Manifest;
  readonly layout: Layout;
  /** Filled as files are read. Absent: the format has none. */
  readonly checksums?: Checksums;
  /** Told now and then while files are read of which nothing is sent. */
  readonly working: () => void;
}

/**
 * The bytes of a range of an archive. The stream fails with SOURCE_CHANGED or TRUNCATED where a file is no longer what the
 * manifest says, and with whatever `Source.open` rejects with. Once it is closed no file is open.
 */
export function readArchive(archive: Archive, { start, end }: ByteRange): Readable {
  const bytes = joined(archiveBytes(archive, start, end ?? archive.layout.size));
  return Readable.from(bytes, { objectMode: true, highWaterMark: PIECES_AHEAD });
}

interface Turn {
  readonly part: Part;
  /** Of the part: the bytes that are asked for. */
  readonly from: number;
  readonly to: number;
  /** Those of a small file, on their way already. */
  readonly early?: Promise<Buffer>;
}

async function* archiveBytes(archive: Archive, start: number, end: number): AsyncGenerator<Buffer, undefined> {
  const turns: Turn[] = [];
  try {
    for (const part of archive.layout.parts(start)) {
      if (part.start >= end) break;
      turns.push(turnOf(archive, part, start, end));
      if (turns.length > PARTS_AHEAD) yield* partBytes(archive, turns.shift() as Turn);
    }
    for (let turn = turns.shift(); turn; turn = turns.shift()) yield* partBytes(archive, turn);
  } finally {
    await Promise.allSettled(turns.map(({ early }) => early));
  }
}

/** A small file takes longer to open than to read, so that several are opened at once. */
function turnOf(archive: Archive, part: Part, start: number, end: number): Turn {
  const from = Math.max(0, start - part.start);
  const to = Math.min(part.length, end - part.start);
  const { parallel } = archive.sharing.share.capabilities;
  if (part.kind !== 'file' || part.length > SMALL_BYTES || !parallel) return { part, from, to };
  const early = whole(fileBytes(archive, part.row, from, to));
  // Told when its turn comes.
  early.catch(() => undefined);
  return { part, from, to, early };
}

async function whole(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const found: Buffer[] = [];
  for await (const piece of pieces) found.push(piece);
  return Buffer.concat(found);
}

async function* partBytes(archive: Archive, { part, from, to, early }: Turn): AsyncGenerator<Buffer, undefined> {
  if (early) yield await early;
  else if (part.kind === 'file') yield* fileBytes(archive, part.row, from, to);
  else if (part.kind === 'made') yield part.make().subarray(from, to);
  else yield part.make(await crcOf(archive, part.row)).subarray(from, to);
}

/** The last piece comes only after a last look at the file, so that no end is seen of one that changed. */
async function* fileBytes(
  { sharing: { share, scope }, manifest, checksums }: Archive,
  row: number,
  start: number,
  end: number,
): AsyncGenerator<Buffer, undefined> {
  const note = manifest.noteBytes(row);
  if (note) return void (yield note.subarray(start, end));
  const path = manifest.path(row);
  const complete = checksums !== undefined && start === 0 && end === manifest.size(row);
  const file = await share.open(path, scope);
  try {
    checkUnchanged(manifest, row, file.entry);
    let [at, crc] = [start, 0];
    let last: Buffer | undefined;
    for await (const piece of file.read({ start, end }) as AsyncIterable<Buffer>) {
      if (last) yield last;
      if (complete) crc = crc32(piece, crc);
      at += piece.length;
      last = piece;
    }
    if (at !== end) throw new XferError('TRUNCATED', `archive ${path}: it became shorter`);
    checkUnchanged(manifest, row, await share.stat(path, scope));
    if (complete) checksums.set(row, crc);
    if (last) yield last;
  } finally {
    await file.close();
  }
}

function checkUnchanged(manifest: Manifest, row: number, entry: Entry | undefined): void {
  const same = entry?.size === manifest.size(row) && markOf(entry.version) === manifest.mark(row);
  if (!same) throw new XferError('SOURCE_CHANGED', `archive ${manifest.path(row)}: it changed meanwhile`);
}

/** The CRC-32 of a file: the file is read for it where it was not read whole before. */
async function crcOf(archive: Archive, row: number): Promise<number> {
  const { manifest, checksums, working } = archive;
  const size = manifest.size(row);
  if (size === 0) return 0;
  const note = manifest.noteBytes(row);
  if (note) return crc32(note);
  if (checksums?.get(row) === undefined) for await (const _ of fileBytes(archive, row, 0, size)) working();
  return checksums?.get(row) as number;
}

async function* joined(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, undefined> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    const long = piece.length >= SMALL_BYTES;
    if (!long) {
      waiting.push(piece);
      bytes += piece.length;
    }
    if (bytes >= SMALL_BYTES || (long && bytes > 0)) {
      yield Buffer.concat(waiting, bytes);
      waiting = [];
      bytes = 0;
    }
    if (long) yield piece;
  }
  if (bytes > 0) yield Buffer.concat(waiting, bytes);
}
