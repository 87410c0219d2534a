/** What a server can do with uploads, by what it says of itself: one question for all files of a copy. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Scope } from '../../../transport.js';
import { integerField, TUS } from '../upload-protocol.js';
import type { PutClient } from './put-client.js';
import { putFault } from './put-fault.js';

export interface TusFeatures {
  /** The first bytes may come with the request that begins an upload. */
  readonly withUpload: boolean;
  /** The length may come later. */
  readonly deferLength: boolean;
  readonly termination: boolean;
}

export interface Features {
  /** Uploads that go on by draft-ietf-httpbis-resumable-upload, as Upload-Limit says (section 4.5). */
  readonly draft: boolean;
  readonly tus?: TusFeatures;
  /** It takes tus uploads, and nothing by name. */
  readonly tusOnly: boolean;
  /** WebDAV: folders can be looked at by PROPFIND. */
  readonly dav: boolean;
  /** It compares what comes with a digest that is given (RFC 9530). */
  readonly provesDigests: boolean;
  readonly mostFileBytes?: number;
  /** Of one request. */
  readonly mostPartBytes?: number;
}

/** What says no more of a server than that it is busy, or not up behind its proxy. */
const NOT_NOW = new Set([408, 429, 502, 503, 504]);

/**
 * Asks by OPTIONS. What is not answered is not there; DENIED where a login is wanted, DISCONNECTED and TIMED_OUT where the
 * server says to come later, and as the connection fails.
 */
export async function askFeatures(client: PutClient, url: URL, scope: Scope): Promise<Features> {
  const answered = await client.send('OPTIONS', url, {}, scope);
  const { status } = answered;
  if (status === 401 || status === 407 || NOT_NOW.has(status)) throw putFault(answered, {});
  return status >= 200 && status < 300 ? featuresOf(answered.headers) : NONE;
}

const NONE: Features = { draft: false, tusOnly: false, dav: false, provesDigests: false };

/** The fields of an answer to OPTIONS. */
export function featuresOf(headers: IncomingHttpHeaders): Features {
  const draft = headers['upload-limit'] !== undefined;
  const tus = tusOf(headers);
  const dav = headers.dav !== undefined;
  const methods = words(headers.allow).map((word) => word.toUpperCase());
  const limits = limitsOf(headers['upload-limit']);
  const most = least(limits.get('max-size'), integerField(headers['tus-max-size']));
  const part = limits.get('max-append-size');
  return {
    draft,
    dav,
    ...(tus ? { tus } : {}),
    tusOnly: tus !== undefined && !draft && !dav && !methods.includes('PUT'),
    provesDigests: headers['want-repr-digest'] !== undefined,
    ...(most === undefined ? {} : { mostFileBytes: most }),
    ...(part === undefined || part === 0 ? {} : { mostPartBytes: part }),
  };
}

function tusOf(headers: IncomingHttpHeaders): TusFeatures | undefined {
  if (!words(headers['tus-version'] ?? headers['tus-resumable']).includes(TUS.version)) return undefined;
  const extensions = words(headers['tus-extension']);
  // Without it, nothing says how an upload is begun.
  if (!extensions.includes('creation')) return undefined;
  return {
    withUpload: extensions.includes('creation-with-upload'),
    deferLength: extensions.includes('creation-defer-length'),
    termination: extensions.includes('termination'),
  };
}

function words(field: string | string[] | undefined): string[] {
  return String(field ?? '')
    .slice(0, 4096)
    .split(',')
    .map((word) => word.trim());
}

/** The integers of a dictionary (RFC 9651, 3.2). */
function limitsOf(field: string | string[] | undefined): Map<string, number> {
  const found = new Map<string, number>();
  for (const member of words(field)) {
    const [, key, value] = /^([a-z*][a-z0-9_.*-]*)=(\d{1,15})(?:;.*)?$/.exec(member) ?? [];
    if (key !== undefined) found.set(key, Number(value));
  }
  return found;
}

function least(...numbers: (number | undefined)[]): number | undefined {
  const known = numbers.filter((one) => one !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
