/** What a request that changes something wants to find (RFC 9110, 13). */
import type { IncomingHttpHeaders } from 'node:http';
import { mayChange, validatorsOf } from '../file/conditional.js';
import type { Sharing } from '../sharing.js';
import { refusals } from './refusal.js';

const FIELDS = ['if-match', 'if-none-match', 'if-unmodified-since'] as const;

export type Conditions = Pick<IncomingHttpHeaders, (typeof FIELDS)[number]>;

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
