/** What became of a form, as a page for a person or as text for a program. */
import { STATUS_CODES } from 'node:http';
import { printable } from '../../../../names.js';
import type { Exchange } from '../exchange.js';
import { escapeHtml } from '../listing/escape-html.js';
import { ICON, STYLE } from '../listing/page/assets.js';
import { pageFields } from '../listing/page/fields.js';
import { endAfterBody } from '../refuse.js';
import { answerDone } from './answers.js';
import type { Refusal } from './refusal.js';

export interface FormOutcome {
  /** Names. */
  readonly saved: string[];
  readonly refused: { readonly name: string; readonly refusal: Refusal }[];
}

/** Whether a browser asks, which shows what it gets. */
export function wantsPage({ request }: Exchange): boolean {
  return /\btext\/html\b/.test(request.headers.accept ?? '');
}

/**
 * Answers: back to the folder where all went well, else the reasons, with the status of the first. `ended`: the listener
 * ends with it, so there is no folder to go back to.
 */
export function sendOutcome(exchange: Exchange, outcome: FormOutcome, ended = false): void {
  const { saved, refused } = outcome;
  const [first] = refused;
  if (!wantsPage(exchange)) {
    const lines = [
      ...saved.map((name) => `saved ${printable(name)}`),
      ...refused.map(({ name, refusal }) => `not saved ${printable(name)}: ${refusal.reason}`),
    ];
    answerDone(exchange, first?.refusal.status ?? 201, {}, `${lines.join('\n')}\n`);
  } else if (first || ended) sendPage(exchange, outcome, ended);
  else answerDone(exchange, 303, { Location: folderOf(exchange) });
}

/** The folder that the form was sent to, as a reference. */
function folderOf({ request }: Exchange): string {
  const [path = '/'] = (request.url ?? '/').split('?', 1);
  return path.endsWith('/') ? './' : `./${path.slice(path.lastIndexOf('/') + 1)}/`;
}

function sendPage(exchange: Exchange, { saved, refused }: FormOutcome, ended: boolean): void {
  const { request, response, tally } = exchange;
  const [first] = refused;
  const status = first?.refusal.status ?? 201;
  const rows = refused.map(({ name, refusal }) => {
    const what = name === '' ? '' : `<strong>${escapeHtml(printable(name))}</strong>: `;
    return `<li>${what}${escapeHtml(refusal.reason)}`;
  });
  const kept = saved.length === 0 ? '' : `<p>Saved: ${saved.map((name) => escapeHtml(printable(name))).join(', ')}</p>`;
  const title = first ? 'That was not done' : 'Uploaded';
  const reasons = rows.length === 0 ? '' : `<ul>${rows.join('\n')}</ul>`;
  const next = ended ? 'Nothing more is taken here.' : `<a href="${folderOf(exchange)}">Back to the folder</a>`;
  const body = Buffer.from(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${status} ${STATUS_CODES[status]}</title>
${ICON}
<style>${STYLE}</style></head>
<body><main class="prose"><h1>${title}</h1>${reasons}${kept}
<p>${next}</p></main></body></html>
`);
  response.writeHead(status, {
    ...pageFields('text/html; charset=utf-8'),
    'Content-Length': body.length,
    ...first?.refusal.fields,
    ...(request.complete ? {} : { Connection: 'close' }),
  });
  tally.bytes += body.length;
  endAfterBody(request, response, body);
}
