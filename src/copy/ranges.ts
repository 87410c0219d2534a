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

/** Cuts spans into blocks of at most `blockBytes`, in order. */
export function* blocks(spans: readonly Span[], blockBytes: number): Generator<Span> {
  for (const { start, end } of spans) {
    for (let at = start; at < end; at += blockBytes) yield { start: at, end: Math.min(at + blockBytes, end) };
  }
}
