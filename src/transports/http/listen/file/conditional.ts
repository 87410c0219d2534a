/** Validators and preconditions: RFC 9110, sections 8.8 and 13. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Entry } from '../../../../transport.js';

/** A file changed this short a time ago may change again within the resolution of its time: its tag is weak. */
const SETTLED_AFTER_MS = 2000;

export interface Validators {
  /** The entity tag as it is sent, quotes and `W/` included. */
  readonly etag?: string;
  /** In whole seconds of milliseconds; absent where it is unknown or in the future (RFC 9110, 8.8.2.1). */
  readonly lastModifiedMs?: number;
  /** Equal validators mean equal bytes. */
  readonly strong: boolean;
}

/** Of files that are asked for again and again, whose entry is the same object each time. */
const settled = new WeakMap<Entry, Validators>();

/** What is said of a file that can change: a tag made of its version, and its time. The same object for an entry once it has settled. */
export function validatorsOf(entry: Entry, nowMs: number = Date.now()): Validators {
  const known = settled.get(entry);
  if (known) return known;
  const { version, mtimeMs } = entry;
  const ageMs = mtimeMs === undefined ? Number.POSITIVE_INFINITY : nowMs - mtimeMs;
  const strong = Math.abs(ageMs) >= SETTLED_AFTER_MS;
  const validators: Validators = {
    strong,
    ...(version === undefined ? {} : { etag: `${strong ? '' : 'W/'}"${tagOf(version)}"` }),
    ...(mtimeMs === undefined || ageMs < 0 ? {} : { lastModifiedMs: Math.floor(mtimeMs / 1000) * 1000 }),
  };
  if (ageMs >= SETTLED_AFTER_MS) settled.set(entry, validators);
  return validators;
}

function tagOf(version: string): string {
  return createHash('sha1').update(version).digest('base64url');
}

/** Whether If-Match, or else If-Unmodified-Since, lets a request go on. */
function isAsExpected(headers: IncomingHttpHeaders, { etag, lastModifiedMs }: Validators): boolean {
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined) return matches(ifMatch, etag, false);
  const since = parseHttpDate(headers['if-unmodified-since']);
  return since === undefined || lastModifiedMs === undefined || lastModifiedMs <= since;
}

/** Whether a request goes on that changes what is there: for those If-Modified-Since means nothing (RFC 9110, 13.1.3). */
export function mayChange(headers: IncomingHttpHeaders, validators: Validators): boolean {
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, validators.etag, true)) return false;
  return isAsExpected(headers, validators);
}

/**
 * The precondition fields in the order of RFC 9110, 13.2.2: undefined where the request goes on, else the status that
 * answers it. Meant for GET and HEAD of something that is there.
 */
export function checkPreconditions(headers: IncomingHttpHeaders, validators: Validators): 304 | 412 | undefined {
  if (!isAsExpected(headers, validators)) return 412;
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, validators.etag, true) ? 304 : undefined;
  const since = parseHttpDate(headers['if-modified-since']);
  if (since === undefined || validators.lastModifiedMs === undefined) return undefined;
  return validators.lastModifiedMs <= since ? 304 : undefined;
}

/** Whether a Range may be obeyed: no If-Range, or one that surely names the same bytes (RFC 9110, 13.1.5). */
export function ifRangeHolds(field: string | undefined, validators: Validators): boolean {
  if (field === undefined) return true;
  if (!validators.strong) return false;
  const text = field.trim();
  if (text.startsWith('"') || text.startsWith('W/')) return text === validators.etag;
  const date = parseHttpDate(text);
  return date !== undefined && date === validators.lastModifiedMs;
}

/** Whether a list of entity tags, or `*`, names `etag`. A list that is not well formed names only what stands before the fault. */
function matches(field: string, etag: string | undefined, weakly: boolean): boolean {
  if (field.trim() === '*') return true;
  if (etag === undefined || (!weakly && etag.startsWith('W/'))) return false;
  const opaque = etag.replace(/^W\//, '');
  const tag = /[\t ,]*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[\t ]*(?:,|$)/y;
  for (let match = tag.exec(field); match; match = tag.exec(field)) {
    if (match[2] === opaque && (weakly || match[1] === undefined)) return true;
  }
  return false;
}

const DAYS = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const MONTHS = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
const CLOCK = '\\d\\d:\\d\\d:\\d\\d';
const IMF_FIXDATE = new RegExp(`^${DAYS}, \\d\\d ${MONTHS} \\d{4} ${CLOCK} GMT$`);
const RFC850_DATE = new RegExp(`^[A-Z][a-z]{5,8}, \\d\\d-${MONTHS}-\\d\\d ${CLOCK} GMT$`);
const ASCTIME_DATE = new RegExp(`^${DAYS} ${MONTHS} [ \\d]\\d ${CLOCK} \\d{4}$`);

/** Milliseconds since the epoch of an HTTP-date in any of its three forms (RFC 9110, 5.6.7); undefined for other text. */
export function parseHttpDate(field: string | undefined): number | undefined {
  if (field === undefined || field.length > 40) return undefined;
  const text = ASCTIME_DATE.test(field) ? `${field} GMT` : field;
  if (text === field && !IMF_FIXDATE.test(field) && !RFC850_DATE.test(field)) return undefined;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
