/** Markdown rendered beside the server: a text that takes long, or much memory, costs nobody else anything. */
import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';

const MOST_MS = 2000;
const MOST_MEMORY_MB = 96;
const MOST_HTML_CHARACTERS = 4 << 20;
const MOST_WAITING = 16;
const MOST_KEPT = 16;

/** Digest of a text -> its HTML, undefined for what could not be rendered; the one used last comes last. */
const kept = new Map<string, string | undefined>();
let turn: Promise<unknown> = Promise.resolve();
let waiting = 0;

/** The text as HTML; undefined where that takes more than 2 s, or more memory than is given to it, or too many wait. */
export async function renderMarkdown(text: string): Promise<string | undefined> {
  const key = createHash('sha256').update(text).digest('base64');
  if (kept.has(key)) return keep(key, kept.get(key));
  if (waiting >= MOST_WAITING) return undefined;
  waiting += 1;
  const rendered = turn.then(() => renderInWorker(text));
  turn = rendered;
  try {
    return keep(key, await rendered);
  } finally {
    waiting -= 1;
  }
}

function keep(key: string, html: string | undefined): string | undefined {
  kept.delete(key);
  kept.set(key, html);
  for (const oldest of kept.keys()) {
    if (kept.size <= MOST_KEPT) break;
    kept.delete(oldest);
  }
  return html;
}

function renderInWorker(text: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('worker.js', import.meta.url), {
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
