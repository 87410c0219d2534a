/** A listing as JSON: `{path, entries: [{name, href, kind, size, mtime}]}`. */
import type { Entry } from '../../../../transport.js';
import { hrefOf } from './href.js';
import type { Shape } from './shape.js';

/**
 * `path` is that of the URL, `/` or `/…/`. `size` is in bytes, of files alone; `mtime` ISO 8601 in UTC; either is left out
 * where it is not known. In a name a byte that is not UTF-8 is the lone surrogate U+DC00 + byte: `href` is what to ask for.
 */
export const json: Shape = {
  contentType: 'application/json; charset=utf-8',
  start: ({ path }) => `{"path":${JSON.stringify(path === '' ? '/' : `/${path}/`)},"entries":[`,
  beforeRows: () => '',
  row: (entry, index) => (index === 0 ? '\n' : ',\n') + rowOf(entry),
  end: () => '\n]}\n',
};

function rowOf(entry: Entry): string {
  const time = new Date(entry.mtimeMs ?? Number.NaN);
  return JSON.stringify({
    name: entry.path,
    href: hrefOf(entry),
    kind: entry.kind,
    size: entry.kind === 'file' ? entry.size : undefined,
    mtime: Number.isNaN(time.getTime()) ? undefined : time.toISOString(),
  });
}
