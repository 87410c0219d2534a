/** A path of the share -> the file, or the directory, that is there. */
import { XferError } from '../../../errors.js';
import { lastPart } from '../../../names.js';
import type { Entry, OpenFile } from '../../../transport.js';
import type { Exchange } from './exchange.js';
import { sendFile } from './file/send-file.js';
import { sendListing } from './listing/listing.js';
import { isRendered, sendRendered } from './listing/markdown/send-markdown.js';
import { askedShape } from './listing/shape.js';
import { refuse } from './refuse.js';
import type { Sharing } from './sharing.js';
import { encodeName, parseTarget, type Target } from './target.js';

const INDEX = 'index.html';

/** Answers a GET or a HEAD of what is shared. Rejects as the source does. */
export async function answerShared(exchange: Exchange, sharing: Sharing): Promise<void> {
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
    return sendListing(exchange, {
      path: '',
      query: target.query,
      single: true,
      entries: only({ ...entry, path: name }),
    });
  }
  if (target.path !== name || target.directory) return refuse(exchange.request, exchange.response, 404);
  return sendOpened(exchange, sharing, await share.open('', scope), { ...target, path: name });
}

async function answerFile(exchange: Exchange, sharing: Sharing, target: Target): Promise<void> {
  const { request, response } = exchange;
  const found = await openFile(sharing, target.path);
  if (found === 'directory') {
    // Relative, so that it also holds behind a proxy that adds a prefix, and never names another host.
    const location = `./${encodeName(lastPart(target.path))}/${target.query.replace(/[^\x21-\x7e]/g, '')}`;
    return refuse(request, response, 301, { Location: location });
  }
  return sendOpened(exchange, sharing, found, target);
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

async function sendOpened(exchange: Exchange, sharing: Sharing, file: OpenFile, target: Target): Promise<void> {
  const { path, query } = target;
  try {
    if (isRendered(path, query)) await sendRendered(exchange, file, path);
    else await sendFile(exchange, file, path, sharing.share.capabilities.ranges);
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
  if (askedShape(request, target.query) === 'html') {
    const index = await openIndex(sharing, prefix + INDEX);
    if (index) {
      response.setHeader('Vary', 'Accept');
      return sendOpened(exchange, sharing, index, { ...target, path: prefix + INDEX });
    }
  }
  const entries = shownEntries(sharing, target.path, prefix);
  return sendListing(exchange, { path: target.path, query: target.query, entries });
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

async function* only(entry: Entry): AsyncGenerator<Entry> {
  yield entry;
}

/** What a listing shows of a directory, under bare names: nothing that could not be asked for. */
async function* shownEntries(sharing: Sharing, path: string, prefix: string): AsyncGenerator<Entry> {
  const { share, scope, hidden } = sharing;
  for await (const found of share.list(path, scope)) {
    const name = found.path.startsWith(prefix) ? found.path.slice(prefix.length) : found.path;
    if (name === '' || (!hidden && name.startsWith('.'))) continue;
    // Where a link leads out of the share there is nothing to show.
    const target = found.kind === 'symlink' ? await share.stat(found.path, scope).catch(() => undefined) : found;
    if (target) yield { ...target, path: name };
  }
}
