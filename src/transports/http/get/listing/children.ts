/** References of a listing -> what lies in its folder. */
import { XferError } from '../../../../errors.js';
import { nameFault } from '../../../../name-fault.js';
import { nameFromBytes, pathParts } from '../../../../names.js';
import { describeUrl } from '../../client/describe-url.js';
import { percentBytes } from '../../content-disposition.js';
import type { Listed, Reference } from './listed.js';

/** Longer references than any name gives. */
const LONGEST_HREF = 8192;

/**
 * What of `references`, which are relative to `base`, is one level below `folder`, whose path ends with `/`, each once: other hosts, folders above and
 * beside, deeper links, and links with a query, as those that sort a listing have, are not its content. `onHostile` is
 * called with the name, and an UNSAFE_PATH, for a reference whose name would be a path, or cannot be a name here.
 */
export function childrenOf(
  folder: URL,
  base: URL,
  references: Iterable<Reference>,
  onHostile: (name: string, error: XferError) => void,
): Listed[] {
  const found = new Map<string, Listed>();
  for (const reference of references) {
    const url = resolveHref(base, reference.href);
    const rest = url && below(folder, url);
    if (!url || rest === undefined) continue;
    const child = childAt(url, rest, reference);
    if (!child) continue;
    const fault = pathParts(child.name)?.length === 1 ? nameFault(child.name) : 'a path, and no name';
    if (fault) {
      onHostile(
        child.name,
        new XferError('UNSAFE_PATH', `get ${describeUrl(folder)}: it lists ${child.name}: ${fault}`),
      );
    } else if (!found.has(child.name)) found.set(child.name, child);
  }
  return [...found.values()];
}

function resolveHref(base: URL, href: string): URL | undefined {
  const text = href.trim();
  if (text === '' || text.length > LONGEST_HREF || !URL.canParse(text, base.href)) return undefined;
  const url = new URL(text, base);
  url.hash = '';
  return url;
}

/** The path of `url` below `folder`, or undefined where it is not there. */
function below(folder: URL, url: URL): string | undefined {
  if (url.origin !== folder.origin || url.username !== '' || url.password !== '' || url.search !== '') return undefined;
  return url.pathname.startsWith(folder.pathname) ? url.pathname.slice(folder.pathname.length) : undefined;
}

function childAt(url: URL, rest: string, { directory, size, mtimeMs }: Reference): Listed | undefined {
  const isFolder = directory ?? rest.endsWith('/');
  const part = rest.replace(/\/$/, '');
  if (part === '' || part.includes('/')) return undefined;
  if (isFolder && !url.pathname.endsWith('/')) url.pathname += '/';
  return {
    url,
    name: nameFromBytes(percentBytes(part)),
    kind: isFolder ? 'directory' : 'file',
    ...(size === undefined || isFolder ? {} : { size }),
    ...(mtimeMs === undefined ? {} : { mtimeMs }),
  };
}
