/** A line of ssh_config taken apart: `Keyword value`, `keyword=value`, quotes, escapes and comments, as OpenSSH reads them. */
import { XferError } from '../../../errors.js';

/** Where a line stands, for messages. */
export interface Place {
  readonly file: string;
  /** From 1; 0 for an option of the command line. */
  readonly line: number;
}

export interface Directive {
  /** As it is written. */
  readonly written: string;
  /** In lower case. */
  readonly keyword: string;
  /** All after the keyword and its `=`, not yet split. */
  readonly rest: string;
}

export function describePlace(place: Place): string {
  return place.line === 0 ? place.file : `${place.file}:${place.line}`;
}

/** The error of a line that is not right: USAGE, naming file and line. */
export function badLine(place: Place, reason: string): XferError {
  return new XferError('USAGE', `ssh configuration ${describePlace(place)}: ${reason}`);
}

const SPACE = /^[ \t\r\n]+/;

/**
 * The word at the start of a text and what follows, as OpenSSH's strdelim() takes it: spaces and one `=` end it, and a
 * quoted part may hold both. `rest` is absent at the end of the text; nothing comes back where a quote stays open.
 */
export function takeWord(text: string): { word: string; rest?: string } | undefined {
  const end = text.search(/[ \t\r\n"=]/);
  if (end < 0) return { word: text };
  if (text[end] === '"') {
    const close = text.indexOf('"', end + 1);
    if (close < 0) return undefined;
    return { word: text.slice(0, end) + text.slice(end + 1, close), rest: text.slice(close + 1).replace(SPACE, '') };
  }
  const rest = text.slice(end + 1).replace(SPACE, '');
  const second = text[end] !== '=' && rest.startsWith('=');
  return { word: text.slice(0, end), rest: second ? rest.slice(1).replace(SPACE, '') : rest };
}

/** The keyword of a line and what follows, or undefined for a blank line and a comment. USAGE where nothing follows. */
export function splitDirective(line: string, place: Place): Directive | undefined {
  const text = withoutEnd(line);
  if (text.includes('\0')) throw badLine(place, 'holds a NUL byte');
  const first = takeWord(text);
  const taken = first?.word === '' ? takeWord(first.rest ?? '') : first;
  if (!taken || taken.word === '' || taken.word.startsWith('#')) return undefined;
  const rest = taken.rest?.replace(SPACE, '') ?? '';
  if (rest === '') throw badLine(place, `no argument after keyword "${taken.word}"`);
  return { written: taken.word, keyword: taken.word.toLowerCase(), rest };
}

/** Without the space at its end, in time linear in its length. */
function withoutEnd(line: string): string {
  let end = line.length;
  while (end > 0 && ' \t\r\n\f'.includes(line[end - 1] as string)) end--;
  return line.slice(0, end);
}

/**
 * The words of a value. `"` and `'` quote; a backslash escapes a quote, itself and, outside quotes, a space; a word that
 * starts with `#` ends the line, unless `comments` is false. USAGE where a quote stays open.
 */
export function splitWords(text: string, place: Place, comments = true): string[] {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (text[at] === ' ' || text[at] === '\t') at++;
    if (at >= text.length || (comments && text[at] === '#')) return words;
    const word = readWord(text, at, place);
    words.push(word.text);
    at = word.end;
  }
}

function readWord(text: string, start: number, place: Place): { text: string; end: number } {
  let word = '';
  let quote = '';
  let at = start;
  for (; at < text.length; at++) {
    const character = text[at] as string;
    if (character === '\\' && isEscape(text[at + 1], quote)) word += text[++at];
    else if (quote === '' && (character === ' ' || character === '\t')) break;
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (quote !== '' && character === quote) quote = '';
    else word += character;
  }
  if (quote !== '') throw badLine(place, 'invalid quotes');
  return { text: word, end: at };
}

function isEscape(next: string | undefined, quote: string): boolean {
  return next === '"' || next === "'" || next === '\\' || (next === ' ' && quote === '');
}
