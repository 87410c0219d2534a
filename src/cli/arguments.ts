/**
 * Typed words -> words in one spelling: options as `--name=value`, then `--`, then operands. Grouped and repeated letters
 * are taken as getopt takes them (POSIX.1-2024, 12.2): `-rp`, `-P2222`, `-oKey=value`, `-o Key=value`.
 */
import { XferError } from '../errors.js';
import { nearest } from './nearest.js';
import type { Option } from './options.js';

export interface Spelled {
  readonly options: readonly string[];
  readonly operands: readonly string[];
}

export interface SpellingRules {
  /** For the hint, as in `scp`. */
  readonly command: string;
  readonly options: readonly Option[];
  /** The first operand ends the options, as in scp. */
  readonly operandEndsOptions?: boolean;
}

/** USAGE where an option is unknown, lacks its value, or has one that it does not take. */
export function spellOut(words: readonly string[], rules: SpellingRules): Spelled {
  const options: string[] = [];
  const operands: string[] = [];
  const waiting = [...words];
  while (waiting.length > 0) {
    const word = waiting.shift() as string;
    if (word === '--') return { options, operands: [...operands, ...waiting] };
    if (word.startsWith('--')) options.push(spellLong(word, waiting, rules));
    else if (word.startsWith('-') && word !== '-') options.push(...spellLetters(word, waiting, rules));
    else if (rules.operandEndsOptions) return { options, operands: [word, ...waiting] };
    else operands.push(word);
  }
  return { options, operands };
}

function spellLong(word: string, waiting: string[], rules: SpellingRules): string {
  const equals = word.indexOf('=');
  const name = equals === -1 ? word.slice(2) : word.slice(2, equals);
  const option = rules.options.find((candidate) => candidate.name === name);
  if (!option) throw unknownOption(`--${name}`, rules);
  const value = equals === -1 ? undefined : word.slice(equals + 1);
  if (takesValue(option)) return `--${name}=${value ?? nextValue(`--${name}`, waiting, rules)}`;
  if (value === undefined) return `--${option.sameAs ?? name}`;
  throw new XferError('USAGE', `option --${name}: takes no value`, { hint: helpHint(rules) });
}

function spellLetters(word: string, waiting: string[], rules: SpellingRules): string[] {
  const spelled: string[] = [];
  const letters = [...word.slice(1)];
  while (letters.length > 0) {
    const letter = letters.shift() as string;
    const option = rules.options.find((candidate) => candidate.alias === letter);
    if (!option) throw unknownOption(`-${letter}`, rules, word);
    if (!takesValue(option)) {
      spelled.push(`--${option.name}`);
      continue;
    }
    const value = letters.length > 0 ? letters.join('') : nextValue(`-${letter}`, waiting, rules);
    return [...spelled, `--${option.name}=${value}`];
  }
  return spelled;
}

function takesValue(option: Option): boolean {
  return option.type !== 'flag' && option.type !== 'count';
}

function nextValue(typed: string, waiting: string[], rules: SpellingRules): string {
  const value = waiting.shift();
  if (value !== undefined) return value;
  throw new XferError('USAGE', `option ${typed}: a value is missing`, { hint: helpHint(rules) });
}

function unknownOption(typed: string, rules: SpellingRules, word = typed): XferError {
  const names = rules.options.map((option) => option.name);
  const right = nearest(word.replace(/^--?/, ''), names);
  return new XferError('USAGE', `option ${typed}: xfer ${rules.command} has none of this name`, {
    hint: right === undefined ? helpHint(rules) : `did you mean --${right}?`,
  });
}

function helpHint(rules: SpellingRules): string {
  return `xfer ${rules.command} --help`;
}
