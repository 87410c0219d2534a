/** The head of what a script writes: RFC 3875, section 6. */
import type { Readable } from 'node:stream';
import { XferError } from '../../../../errors.js';

const MOST_HEAD_BYTES = 64 * 1024;
const MOST_FIELDS = 100;

export interface ScriptHead {
  readonly status: number;
  readonly fields: Readonly<Record<string, readonly string[]>>;
  /** As the script announced it. */
  readonly length?: number;
}

/** Fields of a connection, which is the server's own; `status` is no field of HTTP. */
const LEFT_OUT = /^(?:status|connection|content-length|keep-alive|proxy-.*|te|trailer|upgrade)$/;
/** The fields that say what kind of response it is, and may come but once (RFC 3875, 6.3). */
const ONCE = ['status', 'location', 'content-type', 'content-length'];

/**
 * Reads the head, and leaves what comes after it in the stream. TRUNCATED where the stream ends first, PROTOCOL for what
 * is no head or too large for one.
 */
export async function readHead(stream: Readable): Promise<ScriptHead> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const chunk = await nextChunk(stream);
    if (!chunk) throw new XferError('TRUNCATED', 'it ended without a whole head');
    const start = Math.max(0, bytes.length - 3);
    bytes = Buffer.concat([bytes, chunk]);
    const end = (start === 0 ? /^\r?\n|\n\r?\n/ : /\n\r?\n/).exec(bytes.toString('latin1', start, MOST_HEAD_BYTES));
    if (end) {
      stream.unshift(bytes.subarray(start + end.index + end[0].length));
      const head = parseHead(bytes.toString('latin1', 0, start + end.index).replace(/\r$/, ''));
      await checkType(head, stream);
      return head;
    }
    if (bytes.length < MOST_HEAD_BYTES) continue;
    throw new XferError('PROTOCOL', `its head has more than ${MOST_HEAD_BYTES} bytes`);
  }
}

/** What comes next; undefined at the end. */
async function nextChunk(stream: Readable): Promise<Buffer | undefined> {
  for (;;) {
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) return chunk;
    if (stream.readableEnded || stream.destroyed) return undefined;
    await changed(stream);
  }
}

/** PROTOCOL for a document of no type; what has no body needs none (RFC 3875, 6.3.1). */
async function checkType({ status, fields }: ScriptHead, stream: Readable): Promise<void> {
  if (fields['content-type'] || fields.location || status === 204 || status === 304) return;
  const chunk = await nextChunk(stream);
  if (!chunk) return;
  stream.unshift(chunk);
  throw new XferError('PROTOCOL', 'it set no Content-Type');
}

/** Resolves when there is more to read, or there will be nothing any more. */
function changed(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    const events = ['readable', 'end', 'close', 'error'];
    const go = (): void => {
      for (const event of events) stream.off(event, go);
      resolve();
    };
    for (const event of events) stream.on(event, go);
  });
}

/** PROTOCOL for what is no head of a response with a document or a redirect. */
export function parseHead(text: string): ScriptHead {
  const fields: Record<string, string[]> = Object.create(null);
  const lines = text === '' ? [] : text.split(/\r?\n/);
  if (lines.length > MOST_FIELDS) throw new XferError('PROTOCOL', `its head has more than ${MOST_FIELDS} fields`);
  for (const line of lines) {
    const [name, value] = parseField(line);
    const key = name.toLowerCase();
    if (key === 'transfer-encoding') throw new XferError('PROTOCOL', 'it set Transfer-Encoding, which is the server’s');
    fields[key] = [...(fields[key] ?? []), value];
  }
  for (const name of ONCE) {
    if ((fields[name] ?? []).length > 1) throw new XferError('PROTOCOL', `it set ${name} more than once`);
  }
  const status = parseStatus(fields.status?.[0], parseLocation(fields.location?.[0]) !== undefined);
  if (!fields['content-type'] && !fields.location && !fields.status) {
    throw new XferError('PROTOCOL', 'it set no Content-Type');
  }
  const length = parseLength(fields['content-length']?.[0]);
  const sent = Object.entries(fields).filter(([name]) => !LEFT_OUT.test(name));
  return { status, fields: Object.fromEntries(sent), ...(length === undefined ? {} : { length }) };
}

/** Looked at in parts: one expression for all of a line would take the cube of the number of its spaces. */
function parseField(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  const [name, value] = [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1)];
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
    throw new XferError('PROTOCOL', `no field of a head: ${line.slice(0, 80)}`);
  }
  const isSpace = (at: number): boolean => value[at] === ' ' || value[at] === '\t';
  let [start, end] = [0, value.length];
  while (start < end && isSpace(start)) start += 1;
  while (start < end && isSpace(end - 1)) end -= 1;
  return [name, value.slice(start, end)];
}

/** A redirect without a status is 302, whether to a path or to another host: a client follows both, and counts them. */
function parseStatus(field: string | undefined, redirects: boolean): number {
  if (field === undefined) return redirects ? 302 : 200;
  const [, digits] = /^([2-5]\d\d)(?: .*)?$/.exec(field) ?? [];
  if (digits === undefined) throw new XferError('PROTOCOL', `no status: ${field.slice(0, 80)}`);
  return Number(digits);
}

function parseLocation(field: string | undefined): string | undefined {
  if (field === undefined) return undefined;
  if (/^(?:\/|[A-Za-z][A-Za-z0-9+.-]*:)[\x21-\x7e]*$/.test(field)) return field;
  throw new XferError('PROTOCOL', `Location is neither a path nor an address: ${field.slice(0, 80)}`);
}

function parseLength(field: string | undefined): number | undefined {
  if (field === undefined) return undefined;
  if (/^\d{1,15}$/.test(field)) return Number(field);
  throw new XferError('PROTOCOL', `no Content-Length: ${field.slice(0, 80)}`);
}
