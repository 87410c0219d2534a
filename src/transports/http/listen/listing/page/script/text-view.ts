/** Text of a file, as text; Markdown as the listener renders it. */
import { make } from './make.js';
import type { Row } from './rows.js';

const MOST_BYTES = 256 * 1024;

/** What is shown of a file, and what is to be said of it. */
export interface View {
  readonly content: HTMLElement;
  readonly note?: string;
}

/** Rejects where the file cannot be had. */
export async function textView(row: Row, signal?: AbortSignal): Promise<View> {
  if (row.size === 0) return { content: make('p', { textContent: 'This file is empty.' }) };
  const rendered = /\.(?:md|markdown)$/i.test(row.name) ? await renderedView(row.link.href, signal) : undefined;
  return rendered ?? plainView(row.link.href, signal);
}

/** Undefined where the listener does not render it. */
async function renderedView(href: string, signal?: AbortSignal): Promise<View | undefined> {
  const response = await fetch(`${href}?render`, { ...(signal && { signal }) });
  if (!response.ok || !response.headers.get('content-type')?.startsWith('text/html')) return undefined;
  const main = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('main');
  return main ? { content: make('div', { className: 'prose' }, ...main.childNodes) } : undefined;
}

async function plainView(href: string, signal?: AbortSignal): Promise<View> {
  const response = await fetch(href, { headers: { Range: `bytes=0-${MOST_BYTES - 1}` }, ...(signal && { signal }) });
  if (!response.ok) throw new Error(`the server answers ${response.status}`);
  const { text, whole } = await readText(response);
  if (text.includes('\0')) return { content: make('p', { textContent: 'This file does not hold text.' }) };
  const content = make('pre', { textContent: text, tabIndex: 0 });
  return whole ? { content } : { content, note: 'Only the first 256 KiB are shown.' };
}

/** Reads no more than is shown, whatever is sent. */
async function readText(response: Response): Promise<{ text: string; whole: boolean }> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  const total = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
  let text = '';
  let bytes = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return { text, whole: total === undefined || Number(total) === bytes };
    const wanted = value.subarray(0, MOST_BYTES - bytes);
    text += decoder.decode(wanted, { stream: true });
    bytes += wanted.length;
    if (wanted.length < value.length) {
      await reader.cancel();
      return { text, whole: false };
    }
  }
}
