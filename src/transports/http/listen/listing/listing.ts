/** What a directory holds, sent as a page, as JSON or as plain text. */
import { Readable } from 'node:stream';
import type { Entry } from '../../../../transport.js';
import { type Exchange, sendLast, sendStream } from '../exchange.js';
import type { Showing } from '../shown.js';
import type { UploadOptions } from '../upload/options.js';
import { html } from './html.js';
import { json } from './json.js';
import { type Sort, sorted, sortFromQuery } from './order.js';
import { pageFields } from './page/fields.js';
import { plain } from './plain.js';
import { askedShape, type Item, type Listed, type Shape, type ShapeName, type Totals } from './shape.js';
import { inSlices } from './slices.js';

export interface Listing {
  /** Path of the directory below the root. */
  readonly path: string;
  readonly query: string;
  /** It can be asked for as an archive. */
  readonly archived: boolean;
  /** Something can be put there. */
  readonly upload?: UploadOptions | undefined;
  /** In any order. */
  readonly entries: AsyncIterable<Entry>;
  readonly shown: Showing<Item>;
}

/** Entries that are kept to be sorted; a directory with more of them is sent in its own order. */
const MOST_SORTED = 10_000;

const ROWS_AT_ONCE = 500;

const SHAPES: Record<ShapeName, Shape> = { html, json, plain };

/**
 * Sends the listing. Up to 10,000 entries come folders first, and in the order that the query asks for; more of them come in
 * the directory's own order, as they are read, and are never held all at once. Rejects as `listing.entries` does; where the
 * head was sent by then, the caller cuts the connection.
 */
export async function sendListing(exchange: Exchange, listing: Listing): Promise<void> {
  const { request, response } = exchange;
  const { path, query, archived, upload } = listing;
  const shape = SHAPES[askedShape(request, query)];
  const slices = inSlices(listing.entries, listing.shown);
  try {
    // Before the head, so that a directory that cannot be read is an error with a status.
    const first = await slices.next();
    const head = { ...pageFields(shape.contentType, upload !== undefined), Vary: 'Accept' };
    const listed = { path, sort: sortFromQuery(query), archived, counted: exchange.downloads !== undefined, upload };
    const pieces = piecesOf(shape, listed, first, slices);
    if (first.done) {
      const body = Buffer.from(await joined(pieces));
      response.writeHead(200, { ...head, 'Content-Length': body.length });
      return await sendLast(exchange, body);
    }
    response.writeHead(200, head);
    if (request.method !== 'HEAD') await sendStream(exchange, Readable.from(buffers(pieces), { objectMode: false }));
    response.end();
  } finally {
    await slices.return([]);
  }
}

type Slices = AsyncGenerator<Item[], Item[]>;

async function* piecesOf(
  shape: Shape,
  listed: Listed,
  first: IteratorResult<Item[], Item[]>,
  slices: Slices,
): AsyncGenerator<string> {
  yield shape.start(listed);
  let slice = first;
  let held = slice.value;
  while (!slice.done && held.length <= MOST_SORTED) {
    slice = await slices.next();
    held = held.concat(slice.value);
  }
  const whole = slice.done === true && held.length <= MOST_SORTED;
  const totals = { folders: 0, files: 0, bytes: 0 };
  count(totals, held);
  yield shape.beforeRows(listed, whole ? totals : undefined);
  yield* rowsOf(shape, whole ? inOrder(held, listed.sort) : held, 0);
  let sent = held.length;
  held = [];
  while (!slice.done) {
    slice = await slices.next();
    count(totals, slice.value);
    yield* rowsOf(shape, slice.value, sent);
    sent += slice.value.length;
  }
  yield shape.end(totals, whole);
}

function inOrder(items: readonly Item[], sort: Sort): Item[] {
  return sorted(items, sort, ({ name, kind, size, mtimeMs }) => ({
    name,
    folder: kind === 'directory',
    size: size ?? -1,
    timeMs: mtimeMs ?? -1,
  }));
}

function count(totals: { -readonly [Key in keyof Totals]: Totals[Key] }, items: readonly Item[]): void {
  for (const { kind, size } of items) {
    if (kind === 'directory') totals.folders += 1;
    else {
      totals.files += 1;
      totals.bytes += size ?? 0;
    }
  }
}

function* rowsOf(shape: Shape, items: readonly Item[], sent: number): Generator<string> {
  for (let at = 0; at < items.length; at += ROWS_AT_ONCE) {
    let text = '';
    const end = Math.min(items.length, at + ROWS_AT_ONCE);
    for (let index = at; index < end; index += 1) text += shape.row(items[index] as Item, sent + index);
    yield text;
  }
}

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

async function* buffers(pieces: AsyncIterable<string>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) if (piece !== '') yield Buffer.from(piece);
}
