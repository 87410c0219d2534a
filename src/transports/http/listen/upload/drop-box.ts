/** What can be looked at where things are put alone: the page from which that is done, at the root. */
import { type Exchange, sendLast } from '../exchange.js';
import { ICON, SCRIPT, STYLE, UPLOAD_SCRIPT, UPLOAD_STYLE } from '../listing/page/assets.js';
import { pageFields } from '../listing/page/fields.js';
import { uploadForms } from '../listing/upload-forms.js';
import { refusals } from './refusal.js';
import type { Uploads } from './uploads.js';

/** Sends the page. A Refusal (403) for all else, which is the same whether it is there or not. */
export async function answerDropBox(exchange: Exchange, { options }: Uploads): Promise<void> {
  const { request, response } = exchange;
  const [path] = (request.url ?? '').split('?', 1);
  if (path !== '/') throw refusals.dropBox();
  const body = Buffer.from(`<!DOCTYPE html>
<html lang="en" data-drop-box><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Put files here</title>
${ICON}
<style>${STYLE}</style><style>${UPLOAD_STYLE}</style></head>
<body><header id="top"><h1>Put files here</h1></header>
<main><p id="drop-box">What you put here cannot be seen or taken back from this page.</p>${uploadForms({ ...options, manage: false })}
<script>${SCRIPT}</script><script>${UPLOAD_SCRIPT}</script>
</main></body></html>
`);
  response.writeHead(200, { ...pageFields('text/html; charset=utf-8', true), 'Content-Length': body.length });
  await sendLast(exchange, body);
}
