/**
 * `*`, `?`, `[…]` with `[:alpha:]` and the like, and `\` before what is meant literally, as in POSIX fnmatch; `*` and `?`
 * do not match `/`, `**` does. Linear in text times pattern, so no pattern is slow.
 */

interface Token {
  readonly kind: 'one' | 'star' | 'globstar';
  readonly matches: (character: string) => boolean;
}

const notSlash = (character: string): boolean => character !== '/';

/** Whether the whole of `text` matches. A class that is not closed is an ordinary `[`. */
export function matchesGlob(pattern: string, text: string): boolean {
  return compileGlob(pattern)(text);
}

/** The same for one pattern and many texts. `negations`: what may stand first in a class for "none of these". */
export function compileGlob(pattern: string, negations = '!^'): (text: string) => boolean {
  const tokens = tokenize(pattern, negations);
  return (text) => {
    let states = close(tokens, new Set([0]));
    for (const character of text) {
      const next = new Set<number>();
      for (const state of states) {
        const token = tokens[state];
        if (!token?.matches(character)) continue;
        next.add(token.kind === 'one' ? state + 1 : state);
      }
      states = close(tokens, next);
      if (states.size === 0) return false;
    }
    return states.has(tokens.length);
  };
}

/** Whether a pattern is more than a name. */
export function hasGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern.replace(/\\./gs, ''));
}

/** The name that a pattern stands for where it is taken literally. */
export function withoutEscapes(pattern: string): string {
  return pattern.replace(/\\(.)/gs, '$1');
}

/** A star may match nothing. */
function close(tokens: readonly Token[], states: Set<number>): Set<number> {
  for (const state of states) {
    const token = tokens[state];
    if (token && token.kind !== 'one') states.add(state + 1);
  }
  return states;
}

function tokenize(pattern: string, negations: string): Token[] {
  const tokens: Token[] = [];
  let rest = pattern;
  while (rest !== '') {
    const [token, length] = nextToken(rest, negations);
    tokens.push(token);
    rest = rest.slice(length);
  }
  return tokens;
}

/** A `\` is only ever read with what follows it: a second way to read it would double the work with each one. */
const SET = /^\[(!|\^)?((?:\]|\[:[a-z]+:\]|\\.|[^\]\\])(?:\[:[a-z]+:\]|\\.|[^\]\\])*)\]/su;

function nextToken(rest: string, negations: string): [Token, number] {
  if (rest.startsWith('**')) return [{ kind: 'globstar', matches: () => true }, 2];
  if (rest.startsWith('*')) return [{ kind: 'star', matches: notSlash }, 1];
  if (rest.startsWith('?')) return [{ kind: 'one', matches: notSlash }, 1];
  const set = SET.exec(rest);
  if (set) {
    const [all, first = '', members] = set as unknown as [string, string | undefined, string];
    const negated = first !== '' && negations.includes(first);
    const inside = characterSet(negated ? members : first + members);
    return [{ kind: 'one', matches: (character) => notSlash(character) && inside(character) !== negated }, all.length];
  }
  const literal = rest.startsWith('\\') && rest.length > 1 ? rest.slice(1) : rest;
  const character = String.fromCodePoint(literal.codePointAt(0) as number);
  return [{ kind: 'one', matches: (other) => other === character }, character.length + (literal === rest ? 0 : 1)];
}

/** The classes of POSIX, in the C locale's sense where Unicode has none. */
const CLASSES: Record<string, RegExp> = {
  alnum: /[\p{L}\p{N}]/u,
  alpha: /\p{L}/u,
  blank: /[ \t]/,
  cntrl: /\p{Cc}/u,
  digit: /[0-9]/,
  graph: /[^\s\p{C}]/u,
  lower: /\p{Ll}/u,
  print: /[^\p{C}]/u,
  punct: /[\p{P}\p{S}]/u,
  space: /\s/,
  upper: /\p{Lu}/u,
  xdigit: /[0-9A-Fa-f]/,
};

function characterSet(members: string): (character: string) => boolean {
  const classes: RegExp[] = [];
  const ranges: [string, string][] = [];
  const literals = members.replace(/\[:([a-z]+):\]/g, (all, name: string) => {
    const known = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
    if (known) classes.push(known);
    return known ? '' : all;
  });
  const pattern = /(?:\\(.)|(.))(?:-(?:\\(.)|(.)))?/gsu;
  for (const [, escaped, plain, escapedLast, plainLast] of literals.matchAll(pattern)) {
    const first = escaped ?? (plain as string);
    ranges.push([first, escapedLast ?? plainLast ?? first]);
  }
  return (character) =>
    classes.some((each) => each.test(character)) ||
    ranges.some(([first, last]) => first <= character && character <= last);
}
