/** References from a listing to what it lists. */
import type { Entry } from '../../../../transport.js';
import { encodeName } from '../target.js';

/** Relative, so that it holds behind a proxy that adds a prefix; a directory's ends with `/`. */
export function hrefOf(entry: Entry): string {
  return encodeName(entry.path) + (entry.kind === 'directory' ? '/' : '');
}
