/** A path of the share -> the file, or the directory, that is there. */
import { XferError } from '../../../errors.js';
import { lastPart } from '../../../names.js';
import type { Entry, OpenFile } from '../../../transport.js';
import type { Exchange } from './exchange.js';
import type { OwnFields } from './file/own-fields.js';
import { sendFile } from './file/send-file.js';
import { prefersJson, sendListing } from './listing/listing.js';
import { refuse } from './refuse.js';
import type { Sharing } from './sharing.js';
import { encodeName, parseTarget, printableQuery, type Target } from './target.js';

const INDEX = 'index.html';

/** Answers a GET or a HEAD of what is shared. Rejects as the source does. */
export async function answerShared(exchange: Exchange, sharing: Sharing): Promise<void> {
  if (sharing.site) return sharing.site.answer(exchange, sharing);
  const { request, response } = exchange;
  const target = parseTarget(request.url ?? '', sharing);
  if (typeof target === 'number') {
    const single = singleTarget(exchange, sharing);
    return single ? answerSingle(exchange, sharing, single) : refuse(request, response, target);
  }
  if (sharing.single !== undefined) return answerSingle(exchange, sharing, target);
  return target.directory ? answerDirectory(exchange, sharing, target) : answerFile(exchange, sharing, target);
}

/** One shared file may have a name that starts with a dot: it was named by whoever shares it. */
function singleTarget({ request }: Exchange, sharing: Sharing): Target | undefined {
  if (sharing.single === undefined) return undefined;
  const target = parseTarget(request.url ?? '', { ...sharing, hidden: true });
  return typeof target === 'number' ? undefined : target;
}
/** The root is one file: it is all that there is, and `/` lists it. */
async function answerSingle(exchange: Exchange, sharing: Sharing, target: Target): Promise<void> {
  const { share, scope } = sharing;
  const name = sharing.single as string;
  if (target.path === '') {
    const entry = await share.stat('', scope);
    if (!entry) return refuse(exchange.request, exchange.response, 404);
    return sendListing(exchange, { path: '', query: target.query, entries: [{ ...entry, path: name }] });
  }
  if (target.path !== name || target.directory) return refuse(exchange.request, exchange.response, 404);
  return sendOpened(exchange, sharing, await share.open('', scope), name);
}

async function answerFile(exchange: Exchange, sharing: Sharing, target: Target): Promise<void> {
  const found = await openFile(sharing, target.path);
  if (found === 'directory') return redirectToDirectory(exchange, target);
  return sendOpened(exchange, sharing, found, target.path);
}

/** To the same path with a slash after it. */
export function redirectToDirectory({ request, response }: Exchange, { path, query }: Target): void {
  // Relative, so that it also holds behind a proxy that adds a prefix, and never names another host.
  const location = `./${encodeName(lastPart(path))}/${printableQuery(query)}`;
  refuse(request, response, 301, { Location: location });
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

/** Sends an open file, and closes it whatever happens. */
export async function sendOpened(
  exchange: Exchange,
  sharing: Sharing,
  file: OpenFile,
  name: string,
  own?: OwnFields,
): Promise<void> {
  try {
    await sendFile(exchange, file, name, sharing.share.capabilities.ranges, own);
  } finally {
    await file.close();
  }
}

async function answerDirectory(exchange: Exchange, sharing: Sharing, target: Target): Promise<void> {
  const { request, response } = exchange;
  const { share, scope } = sharing;
  const entry = await share.stat(target.path, scope);
  if (entry?.kind !== 'directory') return refuse(request, response, 404);
  const prefix = target.path === '' ? '' : `${target.path}/`;
  if (!prefersJson(request, target.query)) {
    const index = await openIndex(sharing, prefix + INDEX);
    if (index) {
      response.setHeader('Vary', 'Accept');
      return sendOpened(exchange, sharing, index, INDEX);
    }
  }
  const entries = await shownEntries(exchange, sharing, target.path);
  return entries && sendListing(exchange, { path: target.path, query: target.query, entries });
}

/** What a listing of a directory shows, by bare names; undefined where nobody waits for it any more. */
export async function shownEntries(
  { response }: Exchange,
  sharing: Sharing,
  path: string,
): Promise<Entry[] | undefined> {
  const prefix = path === '' ? '' : `${path}/`;
  const entries: Entry[] = [];
  for await (const found of sharing.share.list(path, sharing.scope)) {
    if (response.destroyed) return undefined;
    const shown = await shownEntry(sharing, found, prefix);
    if (shown) entries.push(shown);
  }
  return entries;
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

/** What a listing shows of an entry, under its bare name; undefined where it could not be asked for. */
async function shownEntry({ share, scope, hidden }: Sharing, found: Entry, prefix: string): Promise<Entry | undefined> {
  const name = found.path.startsWith(prefix) ? found.path.slice(prefix.length) : found.path;
  if (name === '' || (!hidden && name.startsWith('.'))) return undefined;
  if (found.kind !== 'symlink') return { ...found, path: name };
  const target = await share.stat(found.path, scope).catch(() => undefined);
  return target && { ...target, path: name };
}
