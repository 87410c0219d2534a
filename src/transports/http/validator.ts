/** What an HTTP answer says about the file behind it, and whether two answers speak of the same bytes (RFC 9110 8.8). */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { DigestAlgorithm } from '../../transport.js';

/** A date is a strong validator where it is this much older than the answer (RFC 9110 8.8.2.2). */
const STRONG_AGE_MS = 60_000;
const FIELD_LIMIT = 1024;

/** One answer's description of its file. */
export interface Described {
  /** Absent where the length is not stated, or is that of an encoded form. */
  readonly size?: number;
  readonly mtimeMs?: number;
  /** Equal versions of one URL are equal bytes; absent where the answer has no strong validator. */
  readonly version?: string;
  /** What If-Range carries: the strong ETag, or the date where it is strong. */
  readonly ifRange?: string;
  /** The ETag as sent, weak or strong, for comparing. */
  readonly etag?: string;
  readonly lastModified?: string;
  /** Content coding other than identity, in lower case. */
  readonly encoding?: string;
  readonly acceptsRanges: boolean;
}

/**
 * Reads the fields of an answer. `size` is the length of the whole file as the answer states it: Content-Length of a 200,
 * the total in Content-Range of a 206. `url` becomes part of the version, as an ETag says nothing across URLs.
 */
export function describeAnswer(headers: IncomingHttpHeaders, url: URL, size: number | undefined): Described {
  const etag = bounded(headers.etag);
  const lastModified = bounded(headers['last-modified']);
  const modifiedMs = httpDate(lastModified);
  const encoding = contentEncoding(headers);
  const ifRange = strongEtag(etag) ?? strongDate(lastModified, modifiedMs, httpDate(headers.date), size);
  const known = encoding === undefined;
  return {
    acceptsRanges: /(?:^|,)\s*bytes\s*(?:,|$)/i.test(headers['accept-ranges'] ?? ''),
    ...(known && size !== undefined ? { size } : {}),
    ...(modifiedMs === undefined ? {} : { mtimeMs: modifiedMs }),
    ...(known && ifRange !== undefined ? { ifRange, version: versionOf(ifRange, size, url) } : {}),
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(encoding === undefined ? {} : { encoding }),
  };
}

/**
 * Whether a later answer may still be the file of an earlier one: its strong validator decides where there was one, else
 * every validator that both of them carry, and always the size. `matched`: the answer is a 206 to If-Range, which says by
 * its status that the date is the same and may leave it out (RFC 9110 15.3.7).
 */
export function sameFile(earlier: Described, later: Described, matched = false): boolean {
  if (earlier.size !== undefined && later.size !== undefined && earlier.size !== later.size) return false;
  const strong = strongEtag(earlier.etag);
  if (strong !== undefined) return later.etag === strong;
  if (earlier.version !== undefined) {
    return later.lastModified === earlier.lastModified || (matched && later.lastModified === undefined);
  }
  return agree(opaque(earlier.etag), opaque(later.etag)) && agree(earlier.lastModified, later.lastModified);
}

function agree(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

/** The ETag without its `W/`, for the weak comparison: a server may make a tag strong once its file has settled (RFC 9110 8.8.3.2). */
function opaque(etag: string | undefined): string | undefined {
  return etag?.replace(/^W\//, '');
}

/** The ETag where it is well formed and not weak. */
function strongEtag(etag: string | undefined): string | undefined {
  return etag !== undefined && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag) ? etag : undefined;
}

function strongDate(
  field: string | undefined,
  modifiedMs: number | undefined,
  sentMs: number | undefined,
  size: number | undefined,
): string | undefined {
  if (modifiedMs === undefined || sentMs === undefined || size === undefined) return undefined;
  return sentMs - modifiedMs >= STRONG_AGE_MS ? field : undefined;
}

function versionOf(validator: string, size: number | undefined, url: URL): string {
  const place = createHash('sha256').update(`${url.origin}${url.pathname}${url.search}`).digest('hex').slice(0, 16);
  return `${validator} ${size ?? '*'} ${place}`;
}

function bounded(field: string | undefined): string | undefined {
  return field !== undefined && field.length <= FIELD_LIMIT ? field : undefined;
}

/** Milliseconds since the epoch of an HTTP date, or undefined. */
export function httpDate(field: string | undefined): number | undefined {
  if (field === undefined || field.length > 64 || !/^[a-z]/i.test(field)) return undefined;
  const timeMs = Date.parse(field.endsWith('GMT') ? field : `${field} GMT`);
  return Number.isFinite(timeMs) && timeMs >= 0 ? timeMs : undefined;
}

/** Content-Length where it is a number of bytes. */
export function contentLength(headers: IncomingHttpHeaders): number | undefined {
  const field = headers['content-length'];
  return field !== undefined && /^[0-9]{1,15}$/.test(field) ? Number(field) : undefined;
}

function contentEncoding(headers: IncomingHttpHeaders): string | undefined {
  const encoding = headers['content-encoding']?.trim().toLowerCase();
  return encoding === undefined || encoding === '' || encoding === 'identity' ? undefined : encoding.slice(0, 40);
}

/** What Content-Range states. */
export interface ContentRange {
  readonly start: number;
  /** After the last byte. */
  readonly end: number;
  readonly size?: number;
}

/** Content-Range of a 206 (RFC 9110 14.4), or undefined where it is not well formed. */
export function contentRange(field: string | undefined): ContentRange | undefined {
  const match = /^bytes ([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15}|\*)$/i.exec(field?.trim() ?? '');
  if (!match) return undefined;
  const start = Number(match[1]);
  const end = Number(match[2]) + 1;
  const size = match[3] === '*' ? undefined : Number(match[3]);
  if (end <= start || (size !== undefined && end > size)) return undefined;
  return { start, end, ...(size === undefined ? {} : { size }) };
}

/** Names of the algorithms in RFC 9530, and the lengths of their digests. */
export const DIGEST_FIELDS = {
  sha256: { field: 'sha-256', bytes: 32 },
  sha512: { field: 'sha-512', bytes: 64 },
} as const satisfies Record<DigestAlgorithm, { field: string; bytes: number }>;

/** The digest in a Repr-Digest field (RFC 9530 3) in lower-case hex, or undefined where it has none of this algorithm. */
export function reprDigest(field: string | string[] | undefined, algorithm: DigestAlgorithm): string | undefined {
  const { field: name, bytes } = DIGEST_FIELDS[algorithm];
  let digest: string | undefined;
  for (const member of String(field ?? '').split(',', 64)) {
    const match = /^([a-z0-9*_.-]+)=:([A-Za-z0-9+/=]*):(?:;.*)?$/.exec(member.trim());
    if (match?.[1] !== name) continue;
    const decoded = Buffer.from(match[2] as string, 'base64');
    digest = decoded.length === bytes ? decoded.toString('hex') : undefined;
  }
  return digest;
}
