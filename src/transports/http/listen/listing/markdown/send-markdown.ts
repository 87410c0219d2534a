/** A file of Markdown as a page: `?render`. */
import { lastPart, printable } from '../../../../../names.js';
import type { OpenFile } from '../../../../../transport.js';
import { type Exchange, sendLast } from '../../exchange.js';
import { hasKey } from '../../target.js';
import { escapeHtml } from '../escape-html.js';
import { ICON, STYLE } from '../page/assets.js';
import { pageFields } from '../page/fields.js';

const MOST_BYTES = 512 * 1024;

/** Whether a query asks for a page of a file whose name says that it is Markdown. */
export function isRendered(name: string, query: string): boolean {
  return hasKey(query, 'render') && /\.(?:md|markdown)$/i.test(name);
}

/**
 * Sends the text as a page. What cannot be rendered in time is shown as it was written; of a file of more than 512 KiB so
 * much. The caller closes the file. Rejects as its stream does, before anything was sent.
 */
export async function sendRendered(exchange: Exchange, file: OpenFile, name: string): Promise<void> {
  const { request, response } = exchange;
  const head = pageFields('text/html; charset=utf-8');
  if (request.method === 'HEAD') {
    response.writeHead(200, head).end();
    return;
  }
  const body = Buffer.from(pageOf(lastPart(name), await contentOf(file)));
  response.writeHead(200, { ...head, 'Content-Length': body.length });
  return sendLast(exchange, body);
}

async function contentOf(file: OpenFile): Promise<string> {
  const { size = MOST_BYTES + 1 } = file.entry;
  const pieces: Buffer[] = [];
  for await (const piece of file.read({ start: 0, end: Math.min(size, MOST_BYTES) })) pieces.push(piece as Buffer);
  const text = Buffer.concat(pieces).toString('utf8');
  const { renderMarkdown } = await import('./render.js');
  const html = size > MOST_BYTES ? undefined : await renderMarkdown(text);
  if (html !== undefined) return html;
  const cut = size > MOST_BYTES ? '<p>Only the first 512 KiB are shown.</p>\n' : '';
  return `${cut}<pre>${escapeHtml(text)}</pre>`;
}

function pageOf(name: string, content: string): string {
  const title = escapeHtml(printable(name));
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
${ICON}
<style>${STYLE}</style></head>
<body><header id="top"><nav aria-label="Folder"><ol><li><a href="./">Folder</a></ol></nav><h1>${title}</h1></header>
<main class="prose">
${content}</main></body></html>
`;
}
