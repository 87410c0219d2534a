/** What a listing shows of a directory: the same for the page, for JSON and for an archive. */
import type { Entry } from '../../../transport.js';
import type { Sharing } from './sharing.js';
import { isShown } from './target.js';

/** An entry that `Source.list` gave -> what is shown of it, under its bare name; undefined where that is nothing. */
export type Showing<Shown> = (found: Entry) => Shown | undefined | Promise<Shown | undefined>;

/** `as` makes of an entry, or of what it leads to, and its bare name what is shown. */
export function showing<Shown>(
  sharing: Sharing,
  directory: string,
  as: (entry: Entry, name: string) => Shown,
): Showing<Shown> {
  const { share, scope } = sharing;
  const prefix = directory === '' ? '' : `${directory}/`;
  return (found) => {
    const name = found.path.startsWith(prefix) ? found.path.slice(prefix.length) : found.path;
    if (name === '' || !isShown(name, prefix === '', sharing)) return undefined;
    if (found.kind !== 'symlink') return as(found, name);
    // Where a link leads out of the share there is nothing to show.
    return share.stat(found.path, scope).then(
      (target) => target && as(target, name),
      () => undefined,
    );
  };
}

/** What is shown of a directory, each under its bare name, in no order. Rejects as `Source.list` does. */
export async function* shownEntries(sharing: Sharing, directory: string): AsyncGenerator<Entry, undefined> {
  const shown = showing(sharing, directory, (entry, name): Entry => ({ ...entry, path: name }));
  for await (const found of sharing.share.list(directory, sharing.scope)) {
    const entry = await shown(found);
    if (entry) yield entry;
  }
}
