/** Files that lie compressed beside what was asked for, as build tools for web sites leave them: RFC 9110, 8.4 and 12.5.3. */
import type { OpenFile, Scope } from '../../../../transport.js';
import type { SharedSource } from '../sharing.js';

/** The best first. */
const CODINGS = [
  { coding: 'br', end: '.br' },
  { coding: 'zstd', end: '.zst' },
  { coding: 'gzip', end: '.gz' },
] as const;

/** What pages are made of. For other files a compressed one beside it may well be something else, as a backup is. */
const PAGE_PARTS = /\.(?:html?|css|m?js|json|map|svg|xml|wasm|webmanifest)$/i;

export interface Compressed {
  readonly file: OpenFile;
  /** The value of Content-Encoding. */
  readonly coding: string;
}

/** Whether an answer for this name depends on Accept-Encoding. */
export function mayBeCompressed(name: string): boolean {
  return PAGE_PARTS.test(name);
}

/**
 * The compressed file beside `plain` that the request likes best, open; the caller closes it. Undefined where it takes none,
 * or none is there that is at least as new.
 */
export async function openCompressed(
  share: SharedSource,
  plain: OpenFile,
  acceptEncoding: string | undefined,
  scope: Scope,
): Promise<Compressed | undefined> {
  const { path, mtimeMs } = plain.entry;
  if (acceptEncoding === undefined) return undefined;
  for (const { coding, end } of acceptedCodings(acceptEncoding)) {
    const found = await share.stat(path + end, scope).catch(() => undefined);
    if (found?.kind !== 'file' || (found.mtimeMs ?? 0) < (mtimeMs ?? 0)) continue;
    const file = await share.open(path + end, scope).catch(() => undefined);
    if (file) return { file, coding };
  }
  return undefined;
}

/** Those that an Accept-Encoding field takes, what it likes best first. */
export function acceptedCodings(field: string): { readonly coding: string; readonly end: string }[] {
  const weights = new Map<string, number>();
  for (const member of field.slice(0, 1000).split(',')) {
    const [name = '', ...parameters] = member.split(';').map((part) => part.trim().toLowerCase());
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    weights.set(name, Number.isNaN(weight) ? 0 : weight);
  }
  const weightOf = (coding: string): number => weights.get(coding) ?? weights.get('*') ?? 0;
  return CODINGS.filter(({ coding }) => weightOf(coding) > 0).toSorted(
    (a, b) => weightOf(b.coding) - weightOf(a.coding),
  );
}
