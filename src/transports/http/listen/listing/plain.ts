/** A listing as text: one name a line. */
import { printable } from '../../../../names.js';
import type { Shape } from './shape.js';

/**
 * A directory's name ends with `/`. Each line is one entry: control characters, bidi marks and bytes that are not UTF-8
 * are written as `printable` writes them, `\n`, `\t`, `\xNN` or `\u{N}`, and a backslash is doubled.
 */
export const plain: Shape = {
  contentType: 'text/plain; charset=utf-8',
  start: () => '',
  beforeRows: () => '',
  row: ({ name, kind }) => `${lineOf(name)}${kind === 'directory' ? '/' : ''}\n`,
  end: () => '',
};

function lineOf(name: string): string {
  if (/^[ -[\]-~]*$/.test(name)) return name;
  return printable(name.replaceAll('\\', '\\\\'));
}
