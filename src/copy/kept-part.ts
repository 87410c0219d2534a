/** What a copy that failed keeps of a file for the next one. */
import { type ErrorCode, MAKE_ROOM, XferError } from '../errors.js';
import type { Draft } from '../transport.js';
import type { Step } from './plan.js';

/** After these nothing of a draft is known to be good, or of use. */
const WORTHLESS: ReadonlySet<ErrorCode> = new Set(['CORRUPT', 'SOURCE_CHANGED', 'RANGE_IGNORED', 'EXISTS']);

export function isWorthKeeping({ code }: XferError): boolean {
  return !WORTHLESS.has(code);
}

/** The error, whose hint says what is kept where that is what takes the room, and how to be rid of it. */
export function tellingKept(error: XferError, { keptAs }: Draft): XferError {
  if (error.code !== 'NO_SPACE' || keptAs === undefined) return error;
  const goesOn = error.hint === MAKE_ROOM ? `${MAKE_ROOM}, which goes on where it stopped` : error.hint;
  const kept = `what came takes room as ${keptAs}: remove it to give this copy up`;
  const hint = goesOn === undefined ? kept : `${goesOn}; ${kept}`;
  return new XferError(error.code, error.message, { hint, cause: error });
}

/** Why no part of a large file can be kept. */
export function whyNotKept({ source, entry }: Step): string {
  if (entry.version === undefined) return 'the other end does not say which version it is';
  return source.capabilities.ranges ? 'the target keeps no part' : 'the other end gives no parts of it';
}
