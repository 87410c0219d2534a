/** A folder as one download. */
import { pipeline, type Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { XferError } from '../../../../errors.js';
import type { Entry, OpenFile } from '../../../../transport.js';
import { attachmentField } from '../../content-disposition.js';
import type { Exchange } from '../exchange.js';
import { type Validators, validatorsOf } from '../file/conditional.js';
import { sendFile } from '../file/send-file.js';
import { refuse } from '../refuse.js';
import type { Sharing } from '../sharing.js';
import { clientGone } from '../watch-client.js';
import { type Archive, readArchive } from './archive-file.js';
import type { ArchiveRoom } from './archives.js';
import { Checksums } from './checksums.js';
import type { ArchiveFormat } from './format.js';
import type { Manifest } from './manifest.js';
import { tarLayout } from './tar.js';
import { walkFolder } from './walk.js';
import { zipLayout } from './zip.js';

const RETRY_AFTER_SECONDS = 10;
/** The fastest: a network is seldom faster, and there are others who want the core. */
const GZIP_LEVEL = 1;
const GZIP_CHUNK_BYTES = 256 * 1024;

/**
 * Sends all that the listings of a folder, and of those in it, show. 400 for a form that there is not, 503 while too many
 * are under way, 403 for more than an archive may hold. Rejects as the source does where the folder cannot be listed, and
 * where a file is not what it was: the connection is cut then.
 */
export async function answerArchive(
  exchange: Exchange,
  sharing: Sharing,
  folder: Entry,
  format: ArchiveFormat | 400,
): Promise<void> {
  const { request, response } = exchange;
  if (format === 400) return refuse(request, response, 400, {}, 'archive is zip, tar or tar.gz');
  const compresses = format === 'tar.gz' && request.method !== 'HEAD';
  const room = sharing.archives.enter(compresses, request.socket.remoteAddress);
  if (!room) return refuseBusy(exchange);
  try {
    await sendArchive(exchange, sharing, folder, format, room);
  } catch (error) {
    const noRoom = error instanceof XferError && error.code === 'NO_SPACE' && !response.headersSent;
    if (!noRoom) throw error;
    if (!room.full) return refuseBusy(exchange);
    refuse(request, response, 403, {}, 'more files than one archive may hold; ask for the folders in it');
  } finally {
    room.leave();
  }
}

/** For a file, which is no folder, and for a folder that is given in no other way than file by file. */
export function refuseArchive({ request, response }: Exchange, kind: 'file' | 'folder'): void {
  const advice =
    kind === 'file' ? 'only a folder can be sent as an archive' : 'this folder cannot be sent as an archive';
  refuse(request, response, 400, {}, advice);
}

function refuseBusy({ request, response }: Exchange): void {
  const fields = { 'Retry-After': String(RETRY_AFTER_SECONDS) };
  refuse(request, response, 503, fields, 'too many archives are under way');
}

async function sendArchive(
  exchange: Exchange,
  sharing: Sharing,
  folder: Entry,
  format: ArchiveFormat,
  room: ArchiveRoom,
): Promise<void> {
  const { request, response } = exchange;
  // While a folder is walked, or a file read for its checksum, nothing that is sent keeps the connection awake.
  const working = (): void => void request.socket.setTimeout(request.socket.timeout ?? 0);
  const manifest = await walkFolder(sharing, folder, () => {
    if (request.destroyed || response.destroyed) throw clientGone();
    room.takeRow();
    working();
  });
  const name = `${manifest.top}.${format}`;
  const validators = await archiveValidators(manifest, format);
  const file = openArchive({ sharing, manifest, working, ...layoutOf(sharing, manifest, format, validators) }, format);
  const ranges = sharing.share.capabilities.ranges && manifest.versioned;
  const fields = { 'Content-Disposition': attachmentField(name) };
  try {
    await sendFile(exchange, { file, name, ranges, validators, fields });
  } finally {
    await file.close();
  }
}

/** A tag alone: no one time can speak for many files. It is weak where another zlib may compress to other bytes. */
async function archiveValidators(manifest: Manifest, format: ArchiveFormat): Promise<Validators> {
  if (!manifest.versioned) return { strong: false };
  const version = `${format} ${await manifest.digest()}`;
  const { etag = '', strong } = validatorsOf({ path: '', kind: 'file', version, mtimeMs: manifest.newestMs });
  return format === 'tar.gz' && strong ? { etag: `W/${etag}`, strong: false } : { etag, strong };
}

function layoutOf(
  sharing: Sharing,
  manifest: Manifest,
  format: ArchiveFormat,
  { etag, strong }: Validators,
): Pick<Archive, 'layout' | 'checksums'> {
  if (format !== 'zip') return { layout: tarLayout(manifest) };
  const kept = strong && etag !== undefined ? sharing.archives.checksums.of(etag, manifest.count) : undefined;
  return { layout: zipLayout(manifest), checksums: kept ?? new Checksums(manifest.count) };
}

/** The archive to be read; closed once its streams are. Its length is not known where it is compressed. */
function openArchive(archive: Archive, format: ArchiveFormat): OpenFile {
  const streams: Readable[] = [];
  const entry: Entry = { path: '', kind: 'file', ...(format === 'tar.gz' ? {} : { size: archive.layout.size }) };
  return {
    entry,
    read(range) {
      const plain = readArchive(archive, range);
      streams.push(plain);
      if (format !== 'tar.gz') return plain;
      const gzip = createGzip({ level: GZIP_LEVEL, chunkSize: GZIP_CHUNK_BYTES });
      streams.push(gzip);
      return pipeline(plain, gzip, () => undefined);
    },
    async close() {
      await Promise.all(streams.map(closed));
    },
  };
}

async function closed(stream: Readable): Promise<void> {
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
}
