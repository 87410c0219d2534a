/** References from a listing to what it lists. */
import { encodeName } from '../target.js';
import type { Item } from './shape.js';

/** Relative, so that it holds behind a proxy that adds a prefix; a directory's ends with `/`. */
export function hrefOf({ name, kind }: Item): string {
  return encodeName(name) + (kind === 'directory' ? '/' : '');
}
