/** What is at an address already. */
import { createHash } from 'node:crypto';
import { XferError } from '../../../errors.js';
import type { DigestAlgorithm, Entry, Scope } from '../../../transport.js';
import { describeUrl } from '../client/describe-url.js';
import { contentLength, DIGEST_FIELDS, httpDate, reprDigest } from '../validator.js';
import type { Answered } from './body-request.js';
import type { PutClient } from './put-client.js';
import { putFault } from './put-fault.js';

/** Answers to a look that tell nothing of what is there. */
const SILENT = new Set([400, 401, 403, 405, 412, 501]);

/** What is there; undefined where nothing is, 'unknown' where the server does not say. Rejects as the connection does. */
export async function lookAt(
  client: PutClient,
  url: URL,
  path: string,
  dav: boolean,
  scope: Scope,
): Promise<Entry | undefined | 'unknown'> {
  const found = dav ? await propertiesOf(client, url, path, scope) : 'unknown';
  if (found !== 'unknown') return found;
  const answered = await client.send('HEAD', url, { verb: 'look at', stays: true }, scope);
  const { status, headers } = answered;
  if (status === 404 || status === 410) return undefined;
  if (leadsToFolder(answered)) return { path, kind: 'directory' };
  if (SILENT.has(status) || (status >= 300 && status < 400)) return 'unknown';
  if (status < 200 || status > 299) throw putFault(answered, { what: `look at ${describeUrl(url)}` });
  if (url.pathname.endsWith('/')) return { path, kind: 'directory' };
  return { path, kind: 'file', ...size(contentLength(headers)), ...time(httpDate(headers['last-modified'])) };
}

function size(bytes: number | undefined) {
  return bytes === undefined ? {} : { size: bytes };
}

function time(mtimeMs: number | undefined) {
  return mtimeMs === undefined ? {} : { mtimeMs };
}

/** Servers send who leaves out the slash of a folder to where it stands. */
function leadsToFolder({ status, headers, url }: Answered): boolean {
  const { location } = headers;
  if (status < 300 || status > 399 || location === undefined || !URL.canParse(location, url.href)) return false;
  const to = new URL(location, url);
  return to.pathname === `${url.pathname}/`;
}

/** PROPFIND (RFC 4918, 9.1) of the thing alone; as `lookAt`. */
export async function propertiesOf(
  client: PutClient,
  url: URL,
  path: string,
  scope: Scope,
): Promise<Entry | undefined | 'unknown'> {
  const fields = { depth: '0', 'content-type': 'application/xml' };
  const body = Buffer.from('<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><allprop/></propfind>');
  const { status, text } = await client.send('PROPFIND', url, { fields, body, verb: 'look at' }, scope);
  if (status === 404) return undefined;
  if (status !== 207) return 'unknown';
  const element = (name: string) =>
    new RegExp(`<(?:[A-Za-z0-9_-]{1,40}:)?${name}\\b[^>]*>([^<]{0,100})<`, 'i').exec(text)?.[1];
  if (/<(?:[A-Za-z0-9_-]{1,40}:)?collection\b/i.test(text)) return { path, kind: 'directory' };
  const length = element('getcontentlength');
  const bytes = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
  return { path, kind: 'file', ...size(bytes), ...time(httpDate(element('getlastmodified'))) };
}

export interface StatedFile {
  /** Its digest, where the server states one. */
  readonly hex: string | undefined;
  readonly size: number | undefined;
  readonly mtimeMs: number | undefined;
}

/** What the server states of a file there; undefined where it does not. */
export async function statedThere(
  client: PutClient,
  url: URL,
  algorithm: DigestAlgorithm,
  scope: Scope,
): Promise<StatedFile | undefined> {
  const { status, headers } = await askDigest(client, url, algorithm, scope);
  if (status !== 200) return undefined;
  const hex = reprDigest(headers['repr-digest'], algorithm);
  return { hex, size: contentLength(headers), mtimeMs: httpDate(headers['last-modified']) };
}

function askDigest(client: PutClient, url: URL, algorithm: DigestAlgorithm, scope: Scope): Promise<Answered> {
  const fields = { 'want-repr-digest': `${DIGEST_FIELDS[algorithm].field}=10` };
  return client.send('HEAD', url, { fields, verb: 'look at' }, scope);
}

/** Of bytes in memory. */
export function hexOf(bytes: Buffer, algorithm: DigestAlgorithm): string {
  return createHash(algorithm).update(bytes).digest('hex');
}

/** CORRUPT, for a file that has its name and is another than the one that was sent. */
export function corruptThere(url: URL, found: string, expected: string): XferError {
  return new XferError(
    'CORRUPT',
    `verify ${describeUrl(url)}: what is there has the SHA-256 ${found}, what was sent ${expected}`,
    { hint: 'it was removed where the server lets us; run the command again' },
  );
}
