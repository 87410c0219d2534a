/** Sets of byte ranges: sorted, disjoint, half-open. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Sorted and merged; empty and impossible ones dropped. */
export function normalize(spans: Iterable<{ start: number; end?: number }>, size: number): Span[] {
  const merged: { start: number; end: number }[] = [];
  const sorted = [...spans]
    .map(({ start, end }) => ({ start: Math.max(0, start), end: Math.min(end ?? size, size) }))
    .filter(({ start, end }) => Number.isSafeInteger(start) && Number.isSafeInteger(end) && start < end)
    .sort((a, b) => a.start - b.start);
  for (const span of sorted) {
    const last = merged.at(-1);
    if (last && span.start <= last.end) last.end = Math.max(last.end, span.end);
    else merged.push(span);
  }
  return merged;
}

/** What both sets hold. */
export function intersect(a: readonly Span[], b: readonly Span[]): Span[] {
  const both: Span[] = [];
  for (const left of a) {
    for (const right of b) {
      const start = Math.max(left.start, right.start);
      const end = Math.min(left.end, right.end);
      if (start < end) both.push({ start, end });
    }
  }
  return both;
}

/** What is missing of the first `size` bytes. */
export function holes(held: readonly Span[], size: number): Span[] {
  const missing: Span[] = [];
  let at = 0;
  for (const span of held) {
    if (at < span.start) missing.push({ start: at, end: span.start });
    at = span.end;
  }
  if (at < size) missing.push({ start: at, end: size });
  return missing;
}

export function totalBytes(spans: readonly Span[]): number {
  return spans.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** Block lengths are multiples of this, for the sake of whole pages and requests. */
const BLOCK_UNIT_BYTES = 1 << 20;

/**
 * Cuts spans into blocks of at most `mostBytes`, in order. For so many takers, that each fetch one after the other, blocks
 * become shorter once all that is left is two for each, so that they end together; without, all have the same length.
 */
export function* blocks(spans: readonly Span[], mostBytes: number, takers?: number): Generator<Span> {
  let left = totalBytes(spans);
  for (const { start, end } of spans) {
    let at = start;
    while (at < end) {
      const share = takers ? Math.ceil(left / (2 * takers) / BLOCK_UNIT_BYTES) * BLOCK_UNIT_BYTES : mostBytes;
      const next = Math.min(end, at + Math.min(mostBytes, share));
      yield { start: at, end: next };
      left -= next - at;
      at = next;
    }
  }
}
