/** A directory as READDIR gives it away. */
import { bytesFromName, joinPath, lastPart, parentPath } from '../../../names.js';
import type { Entry } from '../../../transport.js';
import type { Listed } from './answers.js';
import { attributesOf, longName } from './attributes.js';
import type { SharedEdit } from './drafts.js';
import type { Folder } from './folder.js';
import type { DirectoryHandle } from './handles.js';

/** Answers stay far below the longest packet: names have at most 255 bytes, twice. */
const MOST_ITEMS = 128;

/** NOT_FOUND where it is not a directory. The first entry is read at once, so that an unreadable directory is not opened. */
export async function openListing(folder: Folder, path: string): Promise<DirectoryHandle> {
  const items = itemsOf(folder, path);
  const first = await items.next();
  return { kind: 'directory', path, items: startingWith(first, items), done: false };
}

/** No generator: one that was never begun passes no `return` on. */
function startingWith(first: IteratorResult<Entry>, rest: AsyncGenerator<Entry>): AsyncIterator<Entry> {
  let waiting: IteratorResult<Entry> | undefined = first;
  return {
    async next() {
      const next = waiting;
      waiting = undefined;
      return next ?? rest.next();
    },
    return: () => rest.return(undefined),
  };
}

/** What is there; a client that closes it early leaves nothing open. */
async function* itemsOf(folder: Folder, path: string): AsyncGenerator<Entry> {
  const listed = folder.share.list(path, folder.scope)[Symbol.asyncIterator]();
  try {
    yield* withDrafts(folder, path, listed);
  } finally {
    await listed.return?.();
  }
}

/** `.` and `..`, which clients expect, are entries with these last parts. */
async function* withDrafts(
  { share, drafts, scope }: Folder,
  path: string,
  listed: AsyncIterator<Entry>,
): AsyncGenerator<Entry> {
  let next = await listed.next();
  const own = (await share.stat(path, scope)) ?? { path, kind: 'directory' as const };
  const above = path === '' ? own : ((await share.stat(parentPath(path), scope)) ?? own);
  yield { ...own, path: joinPath(path, '.') };
  yield { ...above, path: joinPath(path, '..') };
  const { named, hidden } = drafts.in(path);
  const waiting = new Map<string, SharedEdit>(named);
  for (; !next.done; next = await listed.next()) {
    const entry = next.value;
    if (hidden.has(entry.path)) continue;
    const draft = waiting.get(entry.path);
    waiting.delete(entry.path);
    yield draft ? { ...draft.look(), path: entry.path } : entry;
  }
  for (const [draftPath, draft] of waiting) {
    if (drafts.find(draftPath) === draft) yield { ...draft.look(), path: draftPath };
  }
}

/** The next part, or undefined at the end. */
export async function nextItems(handle: DirectoryHandle): Promise<Listed[] | undefined> {
  const found: Listed[] = [];
  while (found.length < MOST_ITEMS && !handle.done) {
    const next = await handle.items.next();
    if (next.done) handle.done = true;
    else found.push(listedAs(next.value));
  }
  return found.length > 0 ? found : undefined;
}

function listedAs(entry: Entry): Listed {
  const name = lastPart(entry.path);
  return { name: bytesFromName(name), longName: longName(entry, name), attributes: attributesOf(entry) };
}
