/**
 * A form as browsers and curl send it (RFC 7578), part by part, with bounds on all that is kept of it. The names come as the
 * sender wrote them: parsers for all of MIME cut or decode some that a file can have.
 */
import { nameFromBytes } from '../../../../names.js';
import { Refusal } from './refusal.js';

const MOST_HEAD_BYTES = 8192;
const MOST_PARTS = 10_000;
const CRLF = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');

export interface FormPart {
  /** Of the field. */
  readonly name: string;
  /** Absent where the part is no file. As it was given: a path, perhaps. */
  readonly fileName?: string;
  /** To be read before the next part is asked for; what is left of it is skipped. */
  readonly bytes: AsyncGenerator<Buffer, undefined>;
}

/** The boundary of a form's Content-Type; undefined where it is no such form, or has none that is one. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const [, quoted, plain] =
    /^multipart\/form-data\s*;(?:[^;]{0,200};){0,4}?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70})(?=[\s;]|$))/i.exec(
      contentType?.slice(0, 2000) ?? '',
    ) ?? [];
  return quoted ?? plain;
}

/** The parts in their order. Rejects with a Refusal (400) where it is no form, or ends before its end, and as `body` does. */
export async function* parseForm(body: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<FormPart, undefined> {
  const reader = new FormReader(body, Buffer.from(`\r\n--${boundary}`, 'latin1'));
  // What stands before the first boundary means nothing.
  await skip(reader.untilBoundary());
  for (let parts = 0; await reader.hasPart(); parts += 1) {
    if (parts >= MOST_PARTS) throw new Refusal(413, 'The form has too many parts.');
    const head = partHead(await reader.head());
    yield { ...head, bytes: reader.untilBoundary() };
    // Whoever read may have stopped at any byte.
    if (reader.within) await skip(reader.untilBoundary());
  }
}

async function skip(bytes: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of bytes);
}

class FormReader {
  readonly #source: AsyncIterator<Buffer>;
  readonly #boundary: Buffer;
  /** What came and was not taken; as if a line had ended before the first byte. */
  #held: Buffer = CRLF;
  #within = true;

  constructor(body: AsyncIterable<Buffer>, boundary: Buffer) {
    this.#source = body[Symbol.asyncIterator]();
    this.#boundary = boundary;
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#source.next();
    if (done) throw new Refusal(400, 'The form ended before its end.');
    this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value]);
  }

  /** The boundary that ends what is being read has not come yet. */
  get within(): boolean {
    return this.#within;
  }

  /** All bytes up to the next boundary, which is taken too. */
  async *untilBoundary(): AsyncGenerator<Buffer, undefined> {
    for (;;) {
      const at = this.#held.indexOf(this.#boundary);
      const end = at < 0 ? this.#held.length - this.#begunBytes() : at;
      const found = this.#held.subarray(0, end);
      this.#within = at < 0;
      this.#held = this.#held.subarray(at < 0 ? end : end + this.#boundary.length);
      if (found.length > 0) yield found;
      if (at >= 0) return;
      await this.#more();
    }
  }

  /** How many bytes at the end of what is held could be the beginning of a boundary. */
  #begunBytes(): number {
    const from = Math.max(0, this.#held.length - this.#boundary.length + 1);
    for (let at = this.#held.indexOf(0x0d, from); at >= 0; at = this.#held.indexOf(0x0d, at + 1)) {
      const length = this.#held.length - at;
      if (this.#held.compare(this.#boundary, 0, length, at) === 0) return length;
    }
    return 0;
  }

  /** After a boundary: whether a part follows, or the end. */
  async hasPart(): Promise<boolean> {
    while (this.#held.length < 2) await this.#more();
    if (this.#held.toString('latin1', 0, 2) === '--') {
      await this.#drain();
      return false;
    }
    // Spaces may follow a boundary (RFC 2046, 5.1.1).
    await this.#until(CRLF, 200);
    this.#within = true;
    return true;
  }

  async #drain(): Promise<void> {
    while (!(await this.#source.next()).done);
  }

  /** The fields of a part, as one character for each byte. */
  async head(): Promise<string> {
    // There may be none.
    while (this.#held.length < 2) await this.#more();
    if (this.#held.toString('latin1', 0, 2) === '\r\n') {
      this.#held = this.#held.subarray(2);
      return '';
    }
    return this.#until(HEAD_END, MOST_HEAD_BYTES);
  }

  async #until(end: Buffer, most: number): Promise<string> {
    let at = this.#held.indexOf(end);
    while (at < 0 && this.#held.length <= most) {
      await this.#more();
      at = this.#held.indexOf(end);
    }
    if (at < 0 || at > most) throw new Refusal(400, 'The form cannot be read.');
    const text = this.#held.toString('latin1', 0, at);
    this.#held = this.#held.subarray(at + end.length);
    return text;
  }
}

/** The names in the Content-Disposition of a part. */
function partHead(head: string): { readonly name: string; readonly fileName?: string } {
  const line = head.split('\r\n').find((each) => /^content-disposition:\s*form-data\s*;/i.test(each));
  if (line === undefined) throw new Refusal(400, 'The form cannot be read.');
  const parameters = parametersOf(line.slice(line.indexOf(';')));
  const fileName = parameters.get('filename');
  return { name: parameters.get('name') ?? '', ...(fileName === undefined ? {} : { fileName }) };
}

/** `; name="value"` one after another. */
function parametersOf(text: string): Map<string, string> {
  const found = new Map<string, string>();
  const start = /[;\s]*([a-z*]{1,40})\s*=\s*(")?/iy;
  for (let match = start.exec(text); match; match = start.exec(text)) {
    const from = start.lastIndex;
    const end = endOfValue(text, from, match[2] !== undefined);
    const key = (match[1] as string).toLowerCase();
    if (!found.has(key)) found.set(key, plainValue(text.slice(from, end)));
    start.lastIndex = end + (match[2] === undefined ? 0 : 1);
  }
  return found;
}

function endOfValue(text: string, from: number, quoted: boolean): number {
  let at = from;
  while (at < text.length && (quoted ? text[at] !== '"' : !/[;\s]/.test(text[at] as string))) {
    // Older programs put a backslash before a quote.
    at += quoted && text[at] === '\\' && text[at + 1] === '"' ? 2 : 1;
  }
  return at;
}

/** Browsers write a quote and the ends of lines in percent-encoding, and all else as it is (HTML, 4.10.21.8). */
function plainValue(value: string): string {
  const text = value.replace(/\\"/g, '"').replace(/%(22|0[ad])/gi, (_, hex: string) => {
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
  return nameFromBytes(Buffer.from(text, 'latin1'));
}
