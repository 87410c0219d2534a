/** `--sha256`, `--checksum-url` and `--checksums`: what a download must be. */
import type { ChecksumList, ListedDigest } from '../../checksums.js';
import type { CopyOptions } from '../../copy/index.js';
import { throwIfAborted, XferError } from '../../errors.js';
import { describeLocation, type Location, parseLocation } from '../../location.js';
import { lastPart, parentPath } from '../../names.js';
import type { Scope, StatedDigest } from '../../transport.js';
import type { HttpOptions } from '../../transports/http/index.js';
import { type OpeningTerms, openAgain } from '../open-again.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { ListAt } from './list-at.js';

type Expected = NonNullable<CopyOptions['expected']>;

/** What the engine is to ask for each file, or undefined where nothing was given. USAGE; the errors of reading a list. */
export async function expectedDigests(
  parsed: ParsedArguments,
  web: HttpOptions,
  from: readonly Location[],
  terms: OpeningTerms,
): Promise<Expected | undefined> {
  const checks: Expected[] = [];
  const hex = parsed.text('sha256');
  const url = parsed.text('checksum-url');
  if (hex !== undefined) checks.push(givenDigest(hex));
  if (url !== undefined) checks.push(await listedAt(url, web, from, terms));
  if (parsed.flag('checksums')) checks.push(await besideFiles(web, from, terms));
  if (checks.length === 0) return undefined;
  return async (source, entry, each) => (await Promise.all(checks.map((check) => check(source, entry, each)))).flat();
}

function givenDigest(text: string): Expected {
  const hex = text.trim().toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hex)) {
    throw new XferError('USAGE', 'option --sha256: not a SHA-256, which has 64 hex digits');
  }
  return async () => [stated({ algorithm: 'sha256', hex }, '--sha256')];
}

function stated({ algorithm, hex }: ListedDigest, by: string): StatedDigest {
  return { algorithm, by, hex: async () => hex };
}

/** A list that must have each file. It is asked with what may be known to its host: logins only where a file is of the same. */
async function listedAt(
  text: string,
  web: HttpOptions,
  from: readonly Location[],
  terms: OpeningTerms,
): Promise<Expected> {
  const location = parseLocation(text);
  if (!/^https?$/.test(location.scheme)) {
    throw new XferError('USAGE', `option --checksum-url ${text}: not an http or https URL`);
  }
  const origin = (one: Location) => new URL(one.url ?? '').origin;
  const isKnown = from.some((one) => origin(one) === origin(location));
  const { headers: _, auth: __, pins: ___, ...open } = web;
  const lists = new ListAt(isKnown ? web : open);
  const list = await openAgain(location, () => lists.must(location, terms), terms);
  return async (source, entry) => {
    const names = [
      entry.path,
      source.name,
      entry.path === '' ? lastPart(pathOf(source.identity)) : lastPart(entry.path),
    ];
    return [mustHave(list, names, describeLocation(location))];
  };
}

function pathOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.replace(/%(?![0-9a-f]{2})/gi, '%25'));
}

function mustHave(list: ChecksumList, names: readonly string[], by: string): StatedDigest {
  const digest = list.find(names.filter((name) => name !== ''));
  if (digest) return stated(digest, by);
  throw new XferError('NOT_FOUND', `verify ${names.find((name) => name !== '')}: ${by} does not list it`);
}

/**
 * `SHA256SUMS`, or else `name.sha256`, beside a file. In a tree the `SHA256SUMS` of its first folder and of each file's own;
 * what they do not name is not checked. The lists beside `from` are read at once: a server may have ended, or have no place
 * for another download, once it was asked for the file.
 */
async function besideFiles(web: HttpOptions, from: readonly Location[], terms: OpeningTerms): Promise<Expected> {
  const lists = new ListAt(web);
  const begin = (one: Location): Promise<unknown> =>
    // A list that cannot be read is asked for again, and what is wrong said, with the file that needs it.
    openAgain(one, () => besideOne(lists, withoutLogin(one), terms), terms).catch(() => throwIfAborted(terms.signal));
  await Promise.all(from.map(begin));
  return async (source, entry, each) => {
    const base = new URL(source.identity);
    return entry.path === '' ? besideOne(lists, base, each) : besideListed(lists, base, entry.path, each);
  };
}

function withoutLogin({ url }: Location): URL {
  return Object.assign(new URL(url ?? ''), { username: '', password: '' });
}

function sumsAt(lists: ListAt, base: URL, scope: Scope): Promise<ChecksumList | undefined> {
  return lists.may(parseLocation(new URL('SHA256SUMS', base).href), scope);
}

async function besideListed(lists: ListAt, base: URL, path: string, scope: Scope): Promise<StatedDigest[]> {
  const parts = parentPath(path).split('/').map(encodeURIComponent);
  const folder = new URL(parts.map((part) => (part === '' ? '' : `${part}/`)).join(''), base);
  const found =
    (await sumsAt(lists, base, scope))?.find([path]) ?? (await sumsAt(lists, folder, scope))?.find([lastPart(path)]);
  return found ? [stated(found, 'SHA256SUMS')] : [];
}

async function besideOne(lists: ListAt, base: URL, scope: Scope): Promise<StatedDigest[]> {
  const name = lastPart(pathOf(base.href));
  const listed = (await sumsAt(lists, base, scope))?.find([name]);
  if (listed) return [stated(listed, 'SHA256SUMS')];
  const own = `${name}.sha256`;
  const alone =
    name === '' ? undefined : await lists.may(parseLocation(new URL(encodeURIComponent(own), base).href), scope);
  if (alone) return [mustHave(alone, [name], own)];
  throw new XferError('NOT_FOUND', `verify ${name}: neither SHA256SUMS nor ${own} beside it has its digest`, {
    hint: 'leave out --checksums, or name a list by --checksum-url',
  });
}
