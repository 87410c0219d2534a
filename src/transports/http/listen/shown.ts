/** What a listing shows of a directory: the same for the page, for JSON and for an archive. */
import type { Entry } from '../../../transport.js';
import type { Sharing } from './sharing.js';
import { isShown } from './target.js';

/** What is shown of a directory, each under its bare name, in no order. Rejects as `Source.list` does. */
export async function* shownEntries(sharing: Sharing, directory: string): AsyncGenerator<Entry, undefined> {
  const prefix = directory === '' ? '' : `${directory}/`;
  for await (const found of sharing.share.list(directory, sharing.scope)) {
    const shown = await shownEntry(sharing, found, prefix);
    if (shown) yield shown;
  }
}

/** Undefined for what is hidden, and where it could not be asked for. */
async function shownEntry(sharing: Sharing, found: Entry, prefix: string): Promise<Entry | undefined> {
  const { share, scope } = sharing;
  const name = found.path.startsWith(prefix) ? found.path.slice(prefix.length) : found.path;
  if (name === '' || !isShown(name, prefix === '', sharing)) return undefined;
  if (found.kind !== 'symlink') return { ...found, path: name };
  const target = await share.stat(found.path, scope).catch(() => undefined);
  return target && { ...target, path: name };
}
