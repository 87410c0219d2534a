/** Markdown rendered beside the server: a text that takes long, or much memory, costs nobody else anything. */
import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { ownFile } from '../../../../../package/own-files.js';
import { Recent } from '../../../../../recent.js';

const MOST_MS = 2000;
const MOST_MEMORY_MB = 96;
const MOST_HTML_CHARACTERS = 4 << 20;
const MOST_WAITING = 16;
const MOST_KEPT = 16;

/** Digest of a text -> its HTML, undefined for what could not be rendered. */
const kept = new Recent<string, { readonly html: string | undefined }>({ most: MOST_KEPT });
let turn: Promise<unknown> = Promise.resolve();
let waiting = 0;

/** The text as HTML; undefined where that takes more than 2 s, or more memory than is given to it, or too many wait. */
export async function renderMarkdown(text: string): Promise<string | undefined> {
  const key = createHash('sha256').update(text).digest('base64');
  const known = kept.get(key);
  if (known) return known.html;
  if (waiting >= MOST_WAITING) return undefined;
  waiting += 1;
  const rendered = turn.then(() => renderInWorker(text));
  // One that could not even be begun is no reason to keep all others waiting for ever.
  turn = rendered.catch(() => undefined);
  try {
    const html = await rendered;
    kept.set(key, { html });
    return html;
  } finally {
    waiting -= 1;
  }
}

function renderInWorker(text: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const worker = new Worker(ownFile('transports/http/listen/listing/markdown/worker.js'), {
      workerData: text,
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MB, maxYoungGenerationSizeMb: MOST_MEMORY_MB / 4 },
    });
    let html: string | undefined;
    const timer = setTimeout(() => void worker.terminate(), MOST_MS);
    worker.once('message', (rendered: string) => {
      if (rendered.length <= MOST_HTML_CHARACTERS) html = rendered;
    });
    // It had no memory left: its end is all that there is to know.
    worker.once('error', () => undefined);
    worker.once('exit', () => {
      clearTimeout(timer);
      resolve(html);
    });
  });
}
