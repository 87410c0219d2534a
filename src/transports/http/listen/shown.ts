/** What a listing shows of a directory: the same for the page, for JSON and for an archive. */
import type { Entry } from '../../../transport.js';
import type { Sharing } from './sharing.js';
import { isShown } from './target.js';

/** What is shown of a directory, each under its bare name, in no order. Rejects as `Source.list` does. */
export async function* shownEntries(sharing: Sharing, directory: string): AsyncGenerator<Entry, undefined> {
  const { share, scope } = sharing;
  const prefix = directory === '' ? '' : `${directory}/`;
  for await (const found of share.list(directory, scope)) {
    const name = found.path.startsWith(prefix) ? found.path.slice(prefix.length) : found.path;
    if (name === '' || !isShown(name, prefix === '', sharing)) continue;
    // Where a link leads out of the share there is nothing to show.
    const target = found.kind === 'symlink' ? await share.stat(found.path, scope).catch(() => undefined) : found;
    if (target) yield { ...target, path: name };
  }
}
