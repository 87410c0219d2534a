/** What a request that changes something wants to find (RFC 9110, 13). */
import type { IncomingHttpHeaders } from 'node:http';
import { mayChange, validatorsOf } from '../file/conditional.js';
import type { Sharing } from '../sharing.js';
import type { UploadTerms } from './records.js';
import { refusals } from './refusal.js';

const FIELDS = ['if-match', 'if-none-match', 'if-unmodified-since'] as const;

export type Conditions = Pick<IncomingHttpHeaders, (typeof FIELDS)[number]>;

/** Those that are looked at again before a file has its name: what is there may be another one by then. */
export function lastingConditions(headers: IncomingHttpHeaders): Conditions | undefined {
  const { 'if-match': match, 'if-unmodified-since': unmodified } = headers;
  if (match === undefined && unmodified === undefined) return undefined;
  return { 'if-match': match, 'if-unmodified-since': unmodified };
}

/** Whether an upload may have its name. A Refusal (412) where not. */
export async function checkTerms({ conditions, path }: UploadTerms, sharing: Sharing): Promise<void> {
  if (conditions) await checkConditions(conditions, sharing, path);
}

/** A Refusal (412) where what has the path is not what is wanted. */
export async function checkConditions(wanted: Conditions, { share, scope }: Sharing, path: string): Promise<void> {
  if (FIELDS.every((field) => wanted[field] === undefined)) return;
  const entry = await share.stat(path, scope);
  if (!entry) {
    if (wanted['if-match'] !== undefined || wanted['if-unmodified-since'] !== undefined) throw refusals.changed();
    return;
  }
  if (wanted['if-none-match']?.trim() === '*') throw refusals.existsNow();
  // A folder has neither a tag nor a time that anybody was told.
  const validators = entry.kind === 'file' ? validatorsOf(entry) : { strong: false };
  if (!mayChange(wanted, validators)) throw refusals.changed();
}
