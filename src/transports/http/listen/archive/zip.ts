/** A ZIP file of a manifest, stored: every offset in it is known before any file was read. */
import type { Layout, Part } from './layout.js';
import type { Manifest } from './manifest.js';
import {
  type CentralDirectory,
  centralHeader,
  centralHeaderLength,
  descriptor,
  descriptorLength,
  endRecords,
  localHeader,
  localHeaderLength,
  type ZipEntry,
} from './zip-records.js';

/**
 * A file's CRC is known only after its data, so it stands behind them, and again in the central directory; what is empty
 * needs none.
 */
export function zipLayout(manifest: Manifest): Layout {
  const directory = centralDirectory(manifest);
  const end = directory.start + directory.length;
  const last = endRecords(directory);
  return {
    size: end + last.length,
    *parts(from) {
      if (from < directory.start) yield* contents(manifest, from);
      if (from < end) yield* centralHeaders(manifest, directory.start, from);
      yield { kind: 'made', start: end, length: last.length, make: () => last };
    },
  };
}

function* contents(manifest: Manifest, from: number): Generator<Part, undefined> {
  for (const { row, start } of places(manifest)) {
    const { header, size, trailer } = lengths(manifest, row);
    const [data, end] = [start + header, start + header + size];
    if (end + trailer <= from) continue;
    if (data > from) yield { kind: 'made', start, length: header, make: () => localHeader(entryOf(manifest, row)) };
    if (end > from && size > 0) yield { kind: 'file', start: data, length: size, row };
    if (trailer > 0) yield { kind: 'crc', start: end, length: trailer, row, make: (crc) => descriptor(size, crc) };
  }
}

function* centralHeaders(manifest: Manifest, directoryStart: number, from: number): Generator<Part, undefined> {
  let start = directoryStart;
  for (const { row, start: offset } of places(manifest)) {
    const length = centralLength(manifest, row, offset);
    if (start + length > from) {
      const make = (crc: number): Buffer => centralHeader(entryOf(manifest, row), offset, crc);
      yield { kind: 'crc', start, length, row, make };
    }
    start += length;
  }
}

/** Each row with the offset of its local header. */
function* places(manifest: Manifest): Generator<{ readonly row: number; readonly start: number }, undefined> {
  let start = 0;
  for (const row of manifest.rows()) {
    yield { row, start };
    const { header, size, trailer } = lengths(manifest, row);
    start += header + size + trailer;
  }
}

function centralDirectory(manifest: Manifest): CentralDirectory {
  let [start, length, count] = [0, 0, 0];
  for (const place of places(manifest)) {
    const { header, size, trailer } = lengths(manifest, place.row);
    start = place.start + header + size + trailer;
    length += centralLength(manifest, place.row, place.start);
    count += 1;
  }
  return { count, length, start };
}

function lengths(manifest: Manifest, row: number): { header: number; size: number; trailer: number } {
  const size = manifest.size(row);
  const header = localHeaderLength(manifest.archivedLength(row), size, manifest.mtimeMs(row));
  return { header, size, trailer: descriptorLength(size) };
}

function centralLength(manifest: Manifest, row: number, offset: number): number {
  return centralHeaderLength(manifest.archivedLength(row), manifest.size(row), manifest.mtimeMs(row), offset);
}

function entryOf(manifest: Manifest, row: number): ZipEntry {
  return {
    name: manifest.archivedPath(row),
    folder: manifest.isFolder(row),
    size: manifest.size(row),
    mtimeMs: manifest.mtimeMs(row),
    mode: manifest.mode(row),
  };
}
