/** The text of a `serve.json` -> checked rules, in the form of serve-handler's own options. */
import { XferError } from '../../../../errors.js';
import { pathParts } from '../../../../names.js';
import { Checked } from './checked.js';

/** Where the rules of a site are, in its root. The file is not given away. */
export const RULES_NAME = 'serve.json';

export interface PathRule {
  readonly source: string;
  readonly destination: string;
}

export interface RedirectRule extends PathRule {
  readonly type: number;
}

export interface FieldRule {
  readonly source: string;
  /** Null takes a field away. */
  readonly headers: readonly { readonly key: string; readonly value: string | null }[];
}

/** Which paths something holds for: all, none, or those that one of the patterns matches. */
export type Places = boolean | readonly string[];

export interface SiteRules {
  /** Path of the served directory below the root; `''` is the root. */
  readonly public: string;
  readonly cleanUrls: Places;
  readonly directoryListing: Places;
  readonly rewrites: readonly PathRule[];
  readonly redirects: readonly RedirectRule[];
  readonly headers: readonly FieldRule[];
  readonly unlisted: readonly string[];
  readonly trailingSlash?: boolean;
  readonly renderSingle: boolean;
}

/** What holds where nothing is said (the README of serve-handler). */
export const USUAL_RULES: SiteRules = {
  public: '',
  cleanUrls: true,
  directoryListing: true,
  rewrites: [],
  redirects: [],
  headers: [],
  unlisted: [],
  renderSingle: false,
};

/** Every rule is looked at for every request, at 10 to 20 microseconds each. */
const MOST_RULES = 256;
const MOST_FIELDS = 50;
const LONGEST_PATTERN = 256;
const LONGEST_NAME = 128;
const LONGEST_VALUE = 2048;
const REDIRECT_STATUSES: readonly number[] = [301, 302, 303, 307, 308];

/** What the server alone can know of a response, and of its connection (RFC 9110, 7.6.1; RFC 9112). */
const OWN_FIELDS =
  /^(?:connection|content-length|content-range|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i;

/** The rules that the file `name` holds. USAGE, naming the key, for what is unknown, of another type or too much. */
export function parseRules(text: string, name: string): SiteRules {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new XferError('USAGE', `${name}: not JSON: ${(error as Error).message}`, { cause: error });
  }
  const all = new Checked(value, name);
  const known = ['etag', 'symlinks', 'trailingSlash', ...Object.keys(USUAL_RULES)];
  all.object(['$schema', ...known]);
  // Both are decided by the server: its tags cost nothing, and no link leads out of the root.
  for (const key of ['etag', 'symlinks']) all.at(key)?.boolean();
  const trailingSlash = all.at('trailingSlash')?.boolean();
  return {
    public: all.at('public')?.map(parsePublic) ?? '',
    cleanUrls: all.at('cleanUrls')?.map(parsePlaces) ?? true,
    directoryListing: all.at('directoryListing')?.map(parsePlaces) ?? true,
    rewrites: all.at('rewrites')?.list(MOST_RULES).map(parseRewrite) ?? [],
    redirects: all.at('redirects')?.list(MOST_RULES).map(parseRedirect) ?? [],
    headers: all.at('headers')?.list(MOST_RULES).map(parseFieldRule) ?? [],
    unlisted: all.at('unlisted')?.list(MOST_RULES).map(parsePattern) ?? [],
    renderSingle: all.at('renderSingle')?.boolean() ?? false,
    ...(trailingSlash === undefined ? {} : { trailingSlash }),
  };
}

function parsePublic(one: Checked): string {
  const path = one
    .text(LONGEST_VALUE)
    .replace(/^(?:\.\/)+/, '')
    .replace(/\/+$/, '');
  if (path === '.') return '';
  if (pathParts(path)) return path;
  throw one.wrong('not a directory below the served one');
}

function parsePlaces(one: Checked): Places {
  return typeof one.value === 'boolean' ? one.value : one.list(MOST_RULES).map(parsePattern);
}

function parsePattern(one: Checked): string {
  const pattern = one.text(LONGEST_PATTERN);
  if (/[^\0-\x1f\x7f]/.test(pattern) && !/[\0-\x1f\x7f]/.test(pattern)) return pattern;
  throw one.wrong('not a path or a pattern');
}

function parseRewrite(one: Checked): PathRule {
  one.object(['source', 'destination']);
  return { source: parsePattern(one.need('source')), destination: parsePattern(one.need('destination')) };
}

function parseRedirect(one: Checked): RedirectRule {
  one.object(['source', 'destination', 'type']);
  const destination = one.need('destination');
  const place = destination.text(LONGEST_VALUE);
  if (!/^[^\0-\x1f\x7f\\]+$/.test(place) || /^(?!https?:\/\/)[a-z][a-z0-9+.-]*:/i.test(place)) {
    throw destination.wrong('neither a path nor a web address');
  }
  const type = one.at('type');
  const status = type?.value ?? 301;
  if (!REDIRECT_STATUSES.includes(status as number)) throw type?.wrong(`none of ${REDIRECT_STATUSES.join(', ')}`);
  return { source: parsePattern(one.need('source')), destination: place, type: status as number };
}

function parseFieldRule(one: Checked): FieldRule {
  one.object(['source', 'headers']);
  const headers = one
    .need('headers')
    .list(MOST_FIELDS)
    .map((field) => {
      field.object(['key', 'value']);
      const [key, value] = [parseFieldName(field.need('key')), parseFieldValue(field.need('value'))];
      return { key, value: key.toLowerCase() === 'etag' && value !== null ? entityTag(value) : value };
    });
  return { source: parsePattern(one.need('source')), headers };
}

function parseFieldName(one: Checked): string {
  const name = one.text(LONGEST_NAME);
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw one.wrong('not the name of a header field');
  if (OWN_FIELDS.test(name)) throw one.wrong(`${name} is set by the server itself`);
  return name;
}

function parseFieldValue(one: Checked): string | null {
  if (one.value === null) return null;
  const value = one.text(LONGEST_VALUE);
  if (/^[\t\x20-\x7e\xa0-\xff]*$/.test(value)) return value;
  throw one.wrong('holds a character that no header field can hold');
}

/** A tag as it is written (RFC 9110, 8.8.3): what a client sends back is looked for in quotes. */
function entityTag(value: string): string {
  return /^(?:W\/)?"[^"]*"$/.test(value) ? value : `"${value.replace(/["\s]/g, '')}"`;
}
