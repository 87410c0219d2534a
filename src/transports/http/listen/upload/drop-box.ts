/** What can be looked at where things are put alone: the page from which that is done, at the root. */
import type { Entry } from '../../../../transport.js';
import type { Exchange } from '../exchange.js';
import { sendListing } from '../listing/listing.js';
import { refusals } from './refusal.js';
import type { Uploads } from './uploads.js';

/** Sends the page. A Refusal (403) for all else, which is the same whether it is there or not. */
export async function answerDropBox(exchange: Exchange, uploads: Uploads): Promise<void> {
  const [path] = (exchange.request.url ?? '').split('?', 1);
  if (path !== '/') throw refusals.dropBox();
  await sendListing(exchange, { path: '', query: '', archived: false, entries: nothing(), upload: uploads.options });
}

async function* nothing(): AsyncGenerator<Entry> {}
