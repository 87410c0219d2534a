/** What a directory holds, as a page and as JSON. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { printable } from '../../../../names.js';
import type { Entry } from '../../../../transport.js';
import { type Exchange, sendStream } from '../exchange.js';
import { encodeName, hasKey } from '../target.js';

export interface Listing {
  /** Path of the directory below the root. */
  readonly path: string;
  readonly query: string;
  /** In any order; each `path` is the bare name. */
  readonly entries: Entry[];
}

/** Rows that are put together before they are sent. */
const ROWS_AT_ONCE = 500;

const STYLE = [
  ':root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}',
  'body{max-width:60rem;margin:2rem auto;padding:0 1rem}',
  'h1{font-size:1.2rem;overflow-wrap:anywhere}',
  'table{width:100%;border-collapse:collapse}',
  'th{text-align:left}',
  'th,td{padding:.2rem .5rem;border-bottom:1px solid #8884;white-space:nowrap}',
  'td:first-child{white-space:normal;overflow-wrap:anywhere;width:100%}',
  '.n{text-align:right;font-variant-numeric:tabular-nums}',
  'a{text-decoration:none}a:hover,a:focus{text-decoration:underline}',
].join('');

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Whether JSON is asked for: by `?json`, or by an Accept that names it and likes it at least as much as HTML. */
export function prefersJson(request: IncomingMessage, query: string): boolean {
  if (hasKey(query, 'json')) return true;
  const accept = request.headers.accept;
  if (accept === undefined || !accept.includes('application/json')) return false;
  const json = quality(accept, 'application/json') ?? 0;
  const html = quality(accept, 'text/html');
  return json > 0 && (html === undefined || json > html);
}

/** The weight that an Accept field gives to exactly this type (RFC 9110, 12.5.1), or undefined. */
function quality(accept: string, type: string): number | undefined {
  for (const range of accept.split(',', 64)) {
    const [name, ...parameters] = range.split(';', 8).map((part) => part.trim().toLowerCase());
    if (name !== type) continue;
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    return Number.isNaN(weight) ? 1 : weight;
  }
  return undefined;
}

/** Sends the listing, folders first and in the order of their names. Rejects where it could not be sent whole. */
export async function sendListing(exchange: Exchange, listing: Listing): Promise<void> {
  const { request, response, tally } = exchange;
  listing.entries.sort(inOrder);
  const json = prefersJson(request, listing.query);
  const head: Record<string, string | number> = {
    'Content-Type': json ? 'application/json; charset=utf-8' : 'text/html; charset=utf-8',
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy': POLICY,
    Vary: 'Accept',
  };
  const pieces = json ? jsonPieces(listing) : htmlPieces(listing);
  if (listing.entries.length <= ROWS_AT_ONCE) {
    const body = Buffer.from([...pieces].join(''));
    response.writeHead(200, { ...head, 'Content-Length': body.length });
    if (request.method !== 'HEAD') tally.bytes += body.length;
    response.end(request.method === 'HEAD' ? undefined : body);
    return;
  }
  response.writeHead(200, head);
  if (request.method !== 'HEAD') await sendStream(exchange, Readable.from(buffers(pieces), { objectMode: false }));
  response.end();
}

function* buffers(pieces: Iterable<string>): Generator<Buffer> {
  let text = '';
  let rows = 0;
  for (const piece of pieces) {
    text += piece;
    rows += 1;
    if (rows % ROWS_AT_ONCE !== 0) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(text);
}

function inOrder(a: Entry, b: Entry): number {
  const folders = Number(b.kind === 'directory') - Number(a.kind === 'directory');
  if (folders !== 0) return folders;
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

function hrefOf(entry: Entry): string {
  return encodeName(entry.path) + (entry.kind === 'directory' ? '/' : '');
}

function isoTime(mtimeMs: number | undefined): string | undefined {
  const time = new Date(mtimeMs ?? Number.NaN);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}

function* jsonPieces({ path, entries }: Listing): Generator<string> {
  yield `{"path":${JSON.stringify(path === '' ? '/' : `/${path}/`)},"entries":[`;
  for (const [index, entry] of entries.entries()) {
    const row = {
      name: entry.path,
      href: hrefOf(entry),
      kind: entry.kind,
      size: entry.kind === 'file' ? entry.size : undefined,
      mtime: isoTime(entry.mtimeMs),
    };
    yield (index === 0 ? '' : ',\n') + JSON.stringify(row);
  }
  yield ']}\n';
}

function* htmlPieces({ path, entries }: Listing): Generator<string> {
  const title = escapeHtml(printable(path === '' ? '/' : `/${path}/`));
  yield '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">';
  yield '<meta name="viewport" content="width=device-width,initial-scale=1">';
  yield `<title>Index of ${title}</title><style>${STYLE}</style></head>\n<body><h1>Index of ${title}</h1>\n<table>`;
  yield '<thead><tr><th scope="col">Name</th><th scope="col" class="n">Size</th>';
  yield '<th scope="col">Changed (UTC)</th></tr></thead>\n<tbody>\n';
  if (path !== '') yield '<tr><td><a href="../">../</a></td><td></td><td></td></tr>\n';
  for (const entry of entries) yield htmlRow(entry);
  yield '</tbody></table></body></html>\n';
}

function htmlRow(entry: Entry): string {
  const text = escapeHtml(printable(entry.path)) + (entry.kind === 'directory' ? '/' : '');
  const size = entry.kind === 'file' && entry.size !== undefined ? entry.size : undefined;
  const sizeCell = size === undefined ? '<td></td>' : `<td class="n" title="${size} bytes">${readableSize(size)}</td>`;
  const time = isoTime(entry.mtimeMs);
  const shown = time?.slice(0, 16).replace('T', ' ');
  const timeCell = time === undefined ? '<td></td>' : `<td><time datetime="${time}">${shown}</time></td>`;
  return `<tr><td><a href="${hrefOf(entry)}">${text}</a></td>${sizeCell}${timeCell}</tr>\n`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `4 B`, `1.5 MiB`. */
function readableSize(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** power;
  return `${power === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${UNITS[power]}`;
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}
