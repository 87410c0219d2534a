/** Text on a terminal: how many columns it takes. */
import { eastAsianWidth } from 'get-east-asian-width';

const MARKS = /^\p{M}|\u200d$/u;

/** Columns of printable text; never fewer than a terminal needs, since parts of one emoji are counted one by one. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += widthOf(character);
  return columns;
}

/** Cuts the front of a name away where it takes more columns than `room`, since its end tells more. */
export function shorten(text: string, room: number): string {
  if (columnsOf(text) <= room) return text;
  const kept: string[] = [];
  let columns = 1;
  for (const character of [...text].reverse()) {
    columns += widthOf(character);
    if (columns > room) break;
    kept.push(character);
  }
  return `…${kept.reverse().join('')}`;
}

function widthOf(character: string): number {
  const code = character.codePointAt(0) as number;
  return code < 0x300 ? 1 : MARKS.test(character) ? 0 : eastAsianWidth(code);
}
