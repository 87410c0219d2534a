/** Byte ranges: RFC 9110, section 14. */

/** Bytes from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** More ranges than any client needs; a request for more gets the whole file. */
const MOST_RANGES = 64;

/**
 * The spans that a Range field asks for, of a file of `size` bytes: undefined where the field is to be ignored (another
 * unit, not well formed, or so much that the whole file is less), `[]` where none of it can be satisfied. Spans that
 * overlap or touch come merged and in order; others come in the order asked.
 */
export function parseRanges(field: string, size: number): Span[] | undefined {
  const match = /^bytes=(.*)$/is.exec(field.trim());
  if (!match) return undefined;
  const asked = (match[1] as string)
    .split(',', MOST_RANGES * 4)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (asked.length === 0 || asked.length > MOST_RANGES) return undefined;
  const spans: Span[] = [];
  let total = 0;
  for (const part of asked) {
    const span = parseSpan(part, size);
    if (span === undefined) return undefined;
    if (span === 'empty') continue;
    spans.push(span);
    total += span.end - span.start;
  }
  if (size === 0 && spans.length > 0) return undefined;
  return total > size ? undefined : merged(spans);
}

/** One range-spec: undefined where it is not well formed, `empty` where it cannot be satisfied. */
function parseSpan(text: string, size: number): Span | 'empty' | undefined {
  const match = /^(\d*)-(\d*)$/.exec(text);
  if (!match) return undefined;
  const [, first, last] = match as unknown as [string, string, string];
  if (first === '') {
    if (last === '') return undefined;
    const length = Number(last);
    return length === 0 ? 'empty' : { start: Math.max(0, size - length), end: size };
  }
  const start = Number(first);
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= size ? 'empty' : { start, end };
}

function merged(spans: Span[]): Span[] {
  const sorted = spans.toSorted((a, b) => a.start - b.start);
  const result: Span[] = [];
  for (const span of sorted) {
    const previous = result.at(-1);
    if (previous && span.start <= previous.end) {
      result[result.length - 1] = { start: previous.start, end: Math.max(previous.end, span.end) };
    } else result.push(span);
  }
  return result.length === spans.length ? spans : result;
}

/** The value of Content-Range for a span. */
export function contentRange(span: Span, size: number): string {
  return `bytes ${span.start}-${span.end - 1}/${size}`;
}

/** The pieces of a multipart/byteranges body (RFC 9110, 14.6), and its length in bytes. */
export interface Multipart {
  readonly contentType: string;
  readonly length: number;
  /** What stands before each span, in the order of the spans. */
  readonly heads: readonly string[];
  readonly tail: string;
}

export function multipart(spans: readonly Span[], size: number, contentType: string, boundary: string): Multipart {
  const heads = spans.map(
    (span, index) =>
      `${index === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Range: ${contentRange(span, size)}\r\n\r\n`,
  );
  const tail = `\r\n--${boundary}--\r\n`;
  const length = spans.reduce((sum, span) => sum + span.end - span.start, 0) + heads.join('').length + tail.length;
  return { contentType: `multipart/byteranges; boundary=${boundary}`, length, heads, tail };
}
