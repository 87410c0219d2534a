/** `*`, `?` and `[…]` as in POSIX fnmatch; `*` and `?` do not match `/`, `**` does. Linear in text times pattern, so no pattern is slow. */

interface Token {
  readonly kind: 'one' | 'star' | 'globstar';
  readonly matches: (character: string) => boolean;
}

const notSlash = (character: string): boolean => character !== '/';

/** Whether the whole of `text` matches. A class that is not closed is an ordinary `[`. */
export function matchesGlob(pattern: string, text: string): boolean {
  const tokens = tokenize(pattern);
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
}

/** A star may match nothing. */
function close(tokens: readonly Token[], states: Set<number>): Set<number> {
  for (const state of states) {
    const token = tokens[state];
    if (token && token.kind !== 'one') states.add(state + 1);
  }
  return states;
}

function tokenize(pattern: string): Token[] {
  const tokens: Token[] = [];
  let rest = pattern;
  while (rest !== '') {
    const [token, length] = nextToken(rest);
    tokens.push(token);
    rest = rest.slice(length);
  }
  return tokens;
}

function nextToken(rest: string): [Token, number] {
  if (rest.startsWith('**')) return [{ kind: 'globstar', matches: () => true }, 2];
  if (rest.startsWith('*')) return [{ kind: 'star', matches: notSlash }, 1];
  if (rest.startsWith('?')) return [{ kind: 'one', matches: notSlash }, 1];
  const set = /^\[([!^]?)(\]?[^\]]*)\]/.exec(rest);
  if (set) {
    const [all, negated, members] = set as unknown as [string, string, string];
    const inside = characterSet(members);
    return [
      { kind: 'one', matches: (character) => notSlash(character) && inside(character) === (negated === '') },
      all.length,
    ];
  }
  const literal = rest.startsWith('\\') && rest.length > 1 ? rest.slice(1) : rest;
  const character = String.fromCodePoint(literal.codePointAt(0) as number);
  return [{ kind: 'one', matches: (other) => other === character }, character.length + (literal === rest ? 0 : 1)];
}

function characterSet(members: string): (character: string) => boolean {
  const characters = [...members];
  const ranges: [string, string][] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const first = characters[at] as string;
    const last = characters[at + 1] === '-' ? characters[at + 2] : undefined;
    ranges.push([first, last ?? first]);
    if (last !== undefined) at += 2;
  }
  return (character) => ranges.some(([first, last]) => first <= character && character <= last);
}
