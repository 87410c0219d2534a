/** A folder of files that are made up, so that a test decides what each call gives, and when. */
import { Readable } from 'node:stream';
import type { Entry } from '#xfer/transport.js';
import { type DiskSource, diskSource } from '../rig.js';

export interface MadeUpFile {
  readonly bytes: Buffer;
  readonly version: string;
  readonly mtimeMs?: number;
}

const OLD_MS = 1e12;

/** What it holds can be changed at any time. */
export function madeUpSource(files: Map<string, MadeUpFile>): DiskSource {
  const share = diskSource('/none', 'made up');
  const find = (path: string): Entry | undefined => {
    if (path === '') return { path, kind: 'directory', mtimeMs: OLD_MS };
    const file = files.get(path);
    if (!file) return undefined;
    const { bytes, version, mtimeMs = OLD_MS } = file;
    return { path, kind: 'file', size: bytes.length, mode: 0o644, mtimeMs, version };
  };
  share.stat = (path) => Promise.resolve(find(path));
  share.list = async function* () {
    for (const path of files.keys()) yield find(path) as Entry;
  };
  share.open = (path) => {
    const { bytes } = files.get(path) as MadeUpFile;
    return Promise.resolve({
      entry: find(path) as Entry,
      read: ({ start, end }) => Readable.from(pieces(bytes.subarray(start, end))),
      close: () => Promise.resolve(),
    });
  };
  return share;
}

const PIECE_BYTES = 256 * 1024;

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}
