/** What the tests take out of a page. */
import { SCRIPT, STYLE } from '#xfer/transports/http/listen/listing/page/assets.js';

/** The page without its own script and style, which hold markup in their text. */
export function markupOf(page: string): string {
  return page.replace(SCRIPT, '').replace(STYLE, '');
}

/** The hrefs of the entries, in the order of the page. */
export function entryLinks(page: string): string[] {
  return [...page.matchAll(/<tr class="(?!up")\w+"><td><a href="([^"]*)"/g)].map((match) => match[1] as string);
}
