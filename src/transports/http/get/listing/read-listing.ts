/** An answer -> what the folder behind it holds. */
import { XferError } from '../../../../errors.js';
import type { Scope } from '../../../../transport.js';
import { describeUrl } from '../../client/describe-url.js';
import type { Fields } from '../../client/fields.js';
import type { Answer } from '../../client/request.js';
import { readText } from '../read-text.js';
import { childrenOf } from './children.js';
import { htmlReferences } from './html.js';
import { jsonReferences } from './json.js';
import type { Listed } from './listed.js';

/** A folder of a million files has a shorter listing. */
const MOST_LISTING_BYTES = 256 << 20;

/** Asks for the forms of a listing that can be read. */
export const LISTING_FIELDS: Fields = { accept: 'application/json, text/html;q=0.9, */*;q=0.1' };

type Form = 'html' | 'json';

/** The form of the listing that an answer seems to hold, by its type and its place; undefined for a file. */
export function listingForm({ response, url }: Answer): Form | undefined {
  const { headers } = response;
  if (headers['content-encoding'] !== undefined || /^\s*attachment\b/i.test(headers['content-disposition'] ?? '')) {
    return undefined;
  }
  const type = /^\s*([^\s;]+)/.exec(headers['content-type'] ?? '')?.[1]?.toLowerCase();
  if (type === 'application/json') return url.pathname.endsWith('/') ? 'json' : undefined;
  const isPage = type === 'text/html' || type === 'application/xhtml+xml';
  return isPage && !/\.x?html?$/i.test(url.pathname) ? 'html' : undefined;
}

/** The folder whose listing came from `url`: the same path with a slash at its end. */
export function folderOf(url: URL): URL {
  const folder = new URL(url);
  folder.search = '';
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  return folder;
}

export interface ListingTerms {
  readonly idleTimeoutMs: number;
  readonly onHostile: (name: string, error: XferError) => void;
}

/** Reads the listing in an answer. UNSUPPORTED where it is none; PROTOCOL where it has no end; the errors of a body. */
export async function readListing(answer: Answer, terms: ListingTerms, scope: Scope): Promise<Listed[]> {
  const what = `list ${describeUrl(answer.url)}`;
  const form = listingForm(answer);
  if (form === undefined) {
    answer.response.destroy();
    throw new XferError('UNSUPPORTED', `${what}: the server gives no listing`);
  }
  const { idleTimeoutMs, onHostile } = terms;
  const text = await readText(answer, { what, most: MOST_LISTING_BYTES, idleTimeoutMs }, scope);
  const references = form === 'json' ? jsonReferences(text) : htmlReferences(text);
  if (!references) throw new XferError('UNSUPPORTED', `${what}: its JSON is no listing that is known here`);
  return childrenOf(folderOf(answer.url), answer.url, references, onHostile);
}
