/** The values of the keywords that are read: what they may be, and in which one form they are kept. */
import { type ValueKind, valueKind } from './keywords.js';
import { jumpHops, jumpText } from './proxy-jump.js';
import { badLine, type Directive, type Place, splitWords } from './words.js';

const MOST_LISTED = 32;
const LISTS = new Set<unknown>(['aliases', 'domains', 'words']);

/**
 * The checked value of a keyword, from all that follows it on its line: choices by their meaning, times in seconds or
 * `none`, aliases as `from:to`, lists word by word, empty where nothing but a comment follows. USAGE where it is not right.
 */
export function readValue(keyword: string, { written, rest }: Directive, place: Place): readonly string[] {
  const words = splitWords(rest, place);
  const kind = valueKind(keyword);
  if (kind === 'command' || kind === 'hops') return [readLine(written, kind, rest, place)];
  if (words.includes('')) throw badLine(place, `${written}: empty argument`);
  if (LISTS.has(kind)) return readList(written, kind, words, place);
  const [first] = words;
  if (first === undefined) throw badLine(place, `${written}: missing argument`);
  if (words.length > 1) throw badLine(place, `${written}: more than one argument`);
  return [readWord(written, kind, first, place)];
}

/** All that follows, as it is written: quotes and comments are the command's own. */
function readLine(written: string, kind: 'command' | 'hops', rest: string, place: Place): string {
  const text = rest.replace(/^[ \t=]+/, '');
  if (kind === 'command') return text;
  const hops = jumpText(text);
  try {
    if (hops.toLowerCase() !== 'none') jumpHops(hops);
    return hops;
  } catch (error) {
    throw badLine(place, `${written} ${hops}: ${error instanceof Error ? error.message : error}`);
  }
}

function readList(written: string, kind: ValueKind, words: readonly string[], place: Place): readonly string[] {
  if (words.length > MOST_LISTED) throw badLine(place, `${written}: more than ${MOST_LISTED} words`);
  if (words.some((word) => word.toLowerCase() === 'none')) {
    if (words.length > 1) throw badLine(place, `${written}: "none" must appear alone`);
    return ['none'];
  }
  if (kind === 'domains') return words.map((word) => readDomain(written, word, place));
  return kind === 'aliases' ? words.map((word) => readAlias(written, word, place)) : words;
}

function readDomain(written: string, word: string, place: Place): string {
  if (/^[a-z0-9](?:[-_a-z0-9]|\.(?!\.))*$/i.test(word)) return word.toLowerCase().replace(/\.$/, '');
  throw badLine(place, `${written} ${word}: not a domain name`);
}

function readAlias(written: string, word: string, place: Place): string {
  if (word === '*') return '*:*';
  if (/:./s.test(word)) return word.toLowerCase();
  throw badLine(place, `${written} ${word}: not from:to`);
}

function readWord(written: string, kind: ValueKind, word: string, place: Place): string {
  const wrong = (wanted: string) => badLine(place, `${written} ${word}: ${wanted}`);
  if (typeof kind === 'object') {
    const choice = word.toLowerCase();
    if (Object.hasOwn(kind, choice)) return kind[choice] as string;
    throw wrong(`not one of ${Object.keys(kind).join(', ')}`);
  }
  if (kind === 'time') return readTime(word, wrong);
  if (kind === 'port') return String(readNumber(word, 1, 65535, wrong));
  if (kind === 'count') return String(readNumber(word, 0, 0x7fffffff, wrong));
  if (kind === 'algorithms' && !/^[-+^]?[-\w@.,*?!]+$/.test(word)) throw wrong('not a list of algorithms');
  if (kind === 'agent' && /^\$(?!\{)(?!\w+$)/.test(word)) throw wrong('not the name of a variable');
  return word;
}

/** As strtonum(3) reads one. */
function readNumber(word: string, least: number, most: number, wrong: (wanted: string) => Error): number {
  const number = /^\s*[+-]?[0-9]{1,15}$/.test(word) ? Number(word) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw wrong(`not a number from ${least} to ${most}`);
}

const SECONDS: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** A time as sshd_config.5 writes it, such as `1h30m`, in seconds; or `none`. */
function readTime(word: string, wrong: (wanted: string) => Error): string {
  if (word === 'none') return word;
  if (!/^(?:[0-9]+[smhdw])*[0-9]+[smhdw]?$/i.test(word)) throw wrong('not a time such as 90 or 1m30s');
  let seconds = 0;
  for (const [, digits, unit] of word.matchAll(/([0-9]+)([smhdw]?)/gi)) {
    seconds += Number(digits) * (SECONDS[(unit as string).toLowerCase()] as number);
  }
  if (seconds > 0x7fffffff) throw wrong('too long');
  return String(seconds);
}
