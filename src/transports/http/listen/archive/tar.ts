/** A tar file of a manifest, in the pax interchange format: every offset in it is known before any file was read. */
import type { Layout, Part } from './layout.js';
import type { Manifest } from './manifest.js';
import { BLOCK_BYTES, type TarEntry, tarHeader, tarHeaderLength, wholeBlocks } from './tar-header.js';

/** Two blocks of zeros end it (POSIX.1-2024, pax, "ustar Interchange Format"). */
const END_BYTES = 2 * BLOCK_BYTES;

export function tarLayout(manifest: Manifest): Layout {
  let end = 0;
  for (const row of manifest.rows()) end += tarHeaderLength(entryOf(manifest, row)) + wholeBlocks(manifest.size(row));
  return {
    size: end + END_BYTES,
    *parts(from) {
      yield* contents(manifest, from);
      yield zeros(end, END_BYTES);
    },
  };
}

function* contents(manifest: Manifest, from: number): Generator<Part, undefined> {
  let start = 0;
  for (const row of manifest.rows()) {
    const entry = entryOf(manifest, row);
    const length = tarHeaderLength(entry);
    const data = start + length;
    const end = data + entry.size;
    const next = data + wholeBlocks(entry.size);
    if (data > from) yield { kind: 'made', start, length, make: () => tarHeader(entry) };
    if (end > from && entry.size > 0) yield { kind: 'file', start: data, length: entry.size, row };
    if (next > from && next > end) yield zeros(end, next - end);
    start = next;
  }
}

function entryOf(manifest: Manifest, row: number): TarEntry {
  return {
    name: manifest.archivedPath(row),
    folder: manifest.isFolder(row),
    size: manifest.size(row),
    mtimeSeconds: Math.floor(manifest.mtimeMs(row) / 1000),
    mode: manifest.mode(row),
  };
}

function zeros(start: number, length: number): Part {
  return { kind: 'made', start, length, make: () => Buffer.alloc(length) };
}
