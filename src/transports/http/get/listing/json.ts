/** References in the JSON that `xfer serve`, caddy and nginx (`autoindex_format json`) list a folder with. */
import { httpDate } from '../../validator.js';
import type { Reference } from './listed.js';

type Fields = Readonly<Record<string, unknown>>;

/** What the listing refers to, in its order; undefined where the text is no listing of these. */
export function jsonReferences(text: string): Reference[] | undefined {
  const parsed = parse(text);
  const rows: unknown = Array.isArray(parsed) ? parsed : (parsed as Fields | null | undefined)?.entries;
  if (!Array.isArray(rows)) return undefined;
  const references: Reference[] = [];
  for (const row of rows as (Fields | null | undefined)[]) {
    if (typeof row?.name !== 'string') return undefined;
    const reference = referenceOf(row, row.name);
    if (reference) references.push(reference);
  }
  return references;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Undefined for what is neither a file nor a directory, such as a link to nothing. */
function referenceOf(row: Fields, name: string): Reference | undefined {
  const { href, url, kind, type, is_dir: isDir, size, mtime, mod_time: modTime } = row;
  const isDirectory = isDir === true || kind === 'directory' || type === 'directory';
  if (!isDirectory && isDir !== false && kind !== 'file' && type !== 'file') return undefined;
  const written = [href, url].find((one) => typeof one === 'string');
  const mtimeMs = timeMs(mtime ?? modTime);
  return {
    href: typeof written === 'string' ? written : encodeName(name),
    directory: isDirectory,
    ...(typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? { size } : {}),
    ...(mtimeMs === undefined ? {} : { mtimeMs }),
  };
}

function encodeName(name: string): string {
  return `./${encodeURIComponent(name.toWellFormed())}`;
}

/** ISO 8601, as in xfer and caddy, or an HTTP date, as in nginx. */
function timeMs(field: unknown): number | undefined {
  if (typeof field !== 'string' || field.length > 64) return undefined;
  const iso = /^\d{4}-\d{2}-\d{2}T/.test(field) ? Date.parse(field) : Number.NaN;
  return Number.isFinite(iso) && iso >= 0 ? iso : httpDate(field);
}
