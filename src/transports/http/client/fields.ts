/** The fields that a person adds to each request. */
import { XferError } from '../../../errors.js';

/** Fields that decide which bytes come, and how they are framed. */
const OWN_FIELDS = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'if-range',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export type Fields = Readonly<Record<string, string>>;

/**
 * A person's fields, as `Name: value` lines or as an object, by lower-case name. USAGE where one is malformed or is one
 * that a copy sets by itself; the message names the field and never its value.
 */
export function parseFields(given: readonly string[] | Readonly<Record<string, string>> = {}): Fields {
  const pairs = Array.isArray(given) ? (given as readonly string[]).map(splitField) : Object.entries(given);
  const fields: Record<string, string> = {};
  for (const [rawName, value] of pairs) {
    const name = rawName.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,256}$/.test(name)) {
      throw new XferError('USAGE', 'a header: its name is not one', { hint: "write it as 'Name: value'" });
    }
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) throw new XferError('USAGE', `header ${name}: not plain text`);
    if (OWN_FIELDS.has(name)) throw new XferError('USAGE', `header ${name}: is set by the copy itself`);
    fields[name] = value;
  }
  return fields;
}

function splitField(line: string): [string, string] {
  const colon = line.indexOf(':');
  return colon < 0 ? ['', ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}
