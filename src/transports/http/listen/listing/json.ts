/** A listing as JSON: `{path, entries: [{name, href, kind, size, mtime}]}`. */
import { hrefOf } from './href.js';
import type { Item, Shape } from './shape.js';

/**
 * `path` is that of the URL, `/` or `/…/`. `size` is in bytes, of files alone; `mtime` ISO 8601 in UTC; either is left out
 * where it is not known. In a name a byte that is not UTF-8 is the lone surrogate U+DC00 + byte: `href` is what to ask for.
 */
export const json: Shape = {
  contentType: 'application/json; charset=utf-8',
  start: ({ path }) => `{"path":${JSON.stringify(path === '' ? '/' : `/${path}/`)},"entries":[`,
  beforeRows: () => '',
  row: (item, index) => (index === 0 ? '\n' : ',\n') + rowOf(item),
  end: () => '\n]}\n',
};

function rowOf(item: Item): string {
  const { name, kind, size, mtimeMs } = item;
  const time = new Date(mtimeMs ?? Number.NaN);
  return JSON.stringify({
    name,
    href: hrefOf(item),
    kind,
    size,
    mtime: Number.isNaN(time.getTime()) ? undefined : time.toISOString(),
  });
}
