/** A path of the share -> the file, or the directory, that is there. */
import { XferError } from '../../../errors.js';
import { joinPath, lastPart } from '../../../names.js';
import type { OpenFile } from '../../../transport.js';
import { attachmentField } from '../content-disposition.js';
import { answerArchive, refuseArchive } from './archive/answer.js';
import { archiveFormat } from './archive/format.js';
import type { Exchange } from './exchange.js';
import { isActive } from './file/content-type.js';
import { NO_FIELDS, type OwnFields } from './file/own-fields.js';
import { type Compressed, mayBeCompressed, openCompressed } from './file/precompressed.js';
import { sendFile } from './file/send-file.js';
import { sendListing } from './listing/listing.js';
import { isRendered, sendRendered } from './listing/markdown/send-markdown.js';
import { askedShape, itemOf } from './listing/shape.js';
import { refuse } from './refuse.js';
import type { Sharing } from './sharing.js';
import { showing } from './shown.js';
import { encodeName, hasKey, parseTarget, printableQuery, type Target } from './target.js';

const INDEX = 'index.html';

/** What anybody may have put here is nothing of ours: it runs nothing, and asks for nothing in our name (CSP level 3). */
const SANDBOX = "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'";

/** Answers a GET or a HEAD of what is shared. Rejects as the source does. */
export async function answerShared(exchange: Exchange, sharing: Sharing): Promise<void> {
  if (sharing.site) return sharing.site.answer(exchange, sharing);
  const { request, response } = exchange;
  const target = parseTarget(request.url ?? '', sharing);
  if (typeof target === 'number') return refuse(request, response, target);
  return target.directory ? answerDirectory(exchange, sharing, target) : answerFile(exchange, sharing, target);
}

async function answerFile(exchange: Exchange, sharing: Sharing, target: Target): Promise<void> {
  const found = await openFile(sharing, target.path);
  if (found === 'directory') return redirectToDirectory(exchange, target);
  if (archiveFormat(target.query) !== undefined) {
    await found.close();
    return refuseArchive(exchange, 'file');
  }
  if (hasKey(target.query, 'download')) return sendToSave(exchange, sharing, found, target.path);
  return sendOpened(exchange, sharing, found, target);
}

/** To the same path with a slash after it. */
export function redirectToDirectory({ request, response }: Exchange, { path, query }: Target): void {
  // Relative, so that it also holds behind a proxy that adds a prefix, and never names another host.
  const location = `./${encodeName(lastPart(path))}/${printableQuery(query)}`;
  refuse(request, response, 301, { Location: location });
}

/** Sends an open file for a browser to save, as it is, and closes it. */
async function sendToSave(exchange: Exchange, { share, digests }: Sharing, file: OpenFile, name: string) {
  const fields = { 'Content-Disposition': attachmentField(lastPart(name)) };
  try {
    await sendFile(exchange, { file, name, ranges: share.capabilities.ranges, digests, fields });
  } finally {
    await file.close();
  }
}

/** The file at `path`, open; `directory` where that is what is there. Rejects as `Source.open` does. */
async function openFile({ share, scope }: Sharing, path: string): Promise<OpenFile | 'directory'> {
  let file: OpenFile;
  try {
    file = await share.open(path, scope);
  } catch (error) {
    const entry = await share.stat(path, scope).catch(() => undefined);
    if (entry?.kind === 'directory') return 'directory';
    throw error;
  }
  if (file.entry.kind !== 'directory') return file;
  await file.close();
  return 'directory';
}

/** Sends an open file, a page made of it, or one compressed beside it, and closes both. `own`: what whoever serves says of it. */
export async function sendOpened(
  exchange: Exchange,
  sharing: Sharing,
  file: OpenFile,
  target: Target,
  own: OwnFields = NO_FIELDS,
): Promise<void> {
  const { share, scope, digests } = sharing;
  const { ranges, replay } = share.capabilities;
  const { path: name, query } = target;
  if (sharing.uploads && isActive(name)) exchange.response.setHeader('Content-Security-Policy', SANDBOX);
  let compressed: Compressed | undefined;
  try {
    // What can be read only once is given to who asks for it as it is.
    if (replay && isRendered(name, query)) return await sendRendered(exchange, file, name);
    // A tag or a coding of their own belongs to the file as it is.
    const asItIs = !mayBeCompressed(name) || own.has('etag') || own.has('content-encoding');
    if (asItIs) return await sendFile(exchange, { file, name, ranges, digests, own });
    compressed = await openCompressed(share, file, exchange.request.headers['accept-encoding'], scope);
    const fields = compressed ? { 'Content-Encoding': compressed.coding } : {};
    const vary = { Vary: [exchange.response.getHeader('Vary'), 'Accept-Encoding'].filter(Boolean).join(', ') };
    const sent = { name, ranges, digests, own, fields: { ...vary, ...fields } };
    await sendFile(exchange, { file: compressed?.file ?? file, ...sent });
  } finally {
    await compressed?.file.close();
    await file.close();
  }
}

async function answerDirectory(exchange: Exchange, sharing: Sharing, target: Target): Promise<void> {
  const { request, response } = exchange;
  const { share, scope } = sharing;
  const entry = await share.stat(target.path, scope);
  if (entry?.kind !== 'directory') return refuse(request, response, 404);
  const format = archiveFormat(target.query);
  const archived = share.capabilities.replay;
  if (format !== undefined) {
    return archived ? answerArchive(exchange, sharing, entry, format) : refuseArchive(exchange, 'folder');
  }
  // Where others put files an index of theirs would hide all the rest.
  if (!sharing.uploads && askedShape(request, target.query) === 'html') {
    const path = joinPath(target.path, INDEX);
    const index = await openIndex(sharing, path);
    if (index) {
      response.setHeader('Vary', 'Accept');
      return sendOpened(exchange, sharing, index, { ...target, path });
    }
  }
  const { path, query } = target;
  const [entries, shown] = [share.list(path, scope), showing(sharing, path, itemOf)];
  return sendListing(exchange, { path, query, archived, entries, shown, upload: sharing.uploads?.options });
}

/** Undefined where there is no index file, or it may not be read: the listing is shown then. */
async function openIndex(sharing: Sharing, path: string): Promise<OpenFile | undefined> {
  try {
    const file = await openFile(sharing, path);
    return file === 'directory' ? undefined : file;
  } catch (error) {
    if (error instanceof XferError && ['NOT_FOUND', 'UNSAFE_PATH', 'DENIED'].includes(error.code)) return undefined;
    throw error;
  }
}
