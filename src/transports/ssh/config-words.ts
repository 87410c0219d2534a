/** A line of ssh_config taken apart: `Keyword value`, `keyword=value`, quotes, escapes and comments, as OpenSSH reads them. */
import { XferError } from '../../errors.js';

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

/** The keyword of a line and what follows, or undefined for a blank line and a comment. USAGE where nothing follows. */
export function splitDirective(line: string, place: Place): Directive | undefined {
  const text = line.replace(/^[ \t\r\n]+/, '').trimEnd();
  if (text === '' || text.startsWith('#')) return undefined;
  if (text.includes('\0')) throw badLine(place, 'holds a NUL byte');
  const match = /^(?:"([^"]*)"|([^ \t\r="]+))[ \t\r]*=?[ \t\r]*/.exec(text);
  if (!match) throw badLine(place, 'Bad configuration option');
  const written = match[1] ?? (match[2] as string);
  const rest = text.slice(match[0].length);
  if (rest === '') throw badLine(place, `no argument after keyword "${written}"`);
  return { written, keyword: written.toLowerCase(), rest };
}

/**
 * The words of a value. `"` and `'` quote; a backslash escapes a quote, itself and, outside quotes, a space; a word that
 * starts with `#` ends the line. USAGE where a quote stays open.
 */
export function splitWords(text: string, place: Place): string[] {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (text[at] === ' ' || text[at] === '\t') at++;
    if (at >= text.length || text[at] === '#') return words;
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
