/** Patterns that serve-handler matches with path-to-regexp and minimatch, made safe against the paths of strangers. */
import { createContext, Script } from 'node:vm';
import { XferError } from '../../../../errors.js';

/** Longer paths are not matched at all: what takes the square of the length is still quick at this one. */
export const LONGEST_PATH = 1024;

/** How long all hostile paths together may take one pattern, and on a machine that does much else meanwhile. */
const LONGEST_MS = 1000;
const LONGEST_BESIDE_OTHERS_MS = 8000;

/** What path-to-regexp 3 reads as more than itself, and what minimatch does. */
const SEGMENTS = /:\w+(?:\([^()]*\))?[+*?]?|\([^()]*\)[+*?]?/g;
const GLOB = /[*?[\]{}]|[@!+]\(/;

/**
 * The source of a rewrite or a redirect, with the same meaning and without its price. serve-handler makes `(.*)*` of a
 * first `**`, and a path of forty slashes that does not match keeps such an expression busy for hours. It is given to
 * path-to-regexp as one group where that is what reads the rest, and else kept from it, so that minimatch alone does.
 */
export function safeSource(source: string): string {
  const star = source.indexOf('*');
  if (source.startsWith('!') || star < 0 || source[star + 1] !== '*') return source;
  const [before, after] = [source.slice(0, star), source.slice(star).replace(/^\*+/, '')];
  if (GLOB.test(`${before} ${after}`.replace(SEGMENTS, '')) || /[@!+?*]\(/.test(`${before} ${after}`)) {
    // A path never holds NUL, so that the first way to match, which takes the first star, is never gone.
    return `/{\0*,${source.replace(/^\/+/, '')}}`;
  }
  return `${before}([^]{0,})?${after}`;
}

/** The destination of a redirect, in which neither a port nor a query is taken for what it looks like, a segment. */
export function safeDestination(destination: string): string {
  return destination.replace(/^(https?:\/\/[^/:]*):(\d+)(?=\/|$)/i, '$1\\:$2').replace(/\?(?=[\w.%[\]-]+=)/, '\\?');
}

/** USAGE where a destination names a segment that its source does not have. `where` is the rule's place in the file. */
export function checkSegments(source: string, destination: string, where: string): void {
  const has = new Set([...source.matchAll(/:(\w+)/g)].map(([, name]) => name as string));
  if (/[*(]/.test(source)) for (const index of source.split(/[*(]/).keys()) has.add(String(index));
  for (const [, name] of safeDestination(destination).matchAll(/(?<!\\):(\w+)/g)) {
    if (has.has(name as string)) continue;
    throw new XferError('USAGE', `${where}: :${name} is not in its source ${source}`);
  }
}

/**
 * USAGE where a pattern is none, or one that some path keeps busy, as `(a+)+` is. `match` runs it against one path before
 * it waits for anything: only the time limit of a script ends an expression that is at work.
 */
export async function checkPrice(
  pattern: string,
  where: string,
  match: (path: string) => Promise<unknown>,
): Promise<void> {
  let matched: Promise<unknown>[] = [];
  const run = (): void => {
    matched = [];
    for (const path of hostilePaths(pattern)) {
      const one = match(path);
      // Nobody waits for those of a try that is cut.
      one.catch(() => undefined);
      matched.push(one);
    }
  };
  try {
    runInTime(run);
  } catch (error) {
    throw new XferError('USAGE', `${where}: a long path would keep this pattern busy: ${pattern}`, {
      hint: 'repeat nothing that is repeated already, and use fewer stars in one name',
      cause: error,
    });
  }
  try {
    await Promise.all(matched);
  } catch (error) {
    throw new XferError('USAGE', `${where}: not a pattern: ${(error as Error).message}`, { cause: error });
  }
}

/** Throws where it takes too long: by the time of the processor, of which a clock on the wall of a busy machine tells little. */
function runInTime(run: () => void): void {
  const script = new Script('run()');
  const before = process.cpuUsage();
  for (let timeout = LONGEST_MS; ; timeout *= 2) {
    try {
      script.runInContext(createContext({ run }), { timeout });
      return;
    } catch (error) {
      const { user, system } = process.cpuUsage(before);
      if ((user + system) / 1000 >= LONGEST_MS * 0.9 || timeout >= LONGEST_BESIDE_OTHERS_MS) throw error;
    }
  }
}

/** Paths that begin as the pattern does and then say the same over and over, up to an end that fits nothing. */
function hostilePaths(pattern: string): string[] {
  const plain = pattern.replace(/^!/, '').replace(/[^\w./-].*$/s, '');
  const start = plain.startsWith('/') ? plain : `/${plain}`;
  // All of them, as what stands between two stars may be any character.
  const letters = new Set(`a1${pattern.replaceAll('/', '')}`);
  const units = [...letters].flatMap((letter) => [letter, `${letter}/`]).concat('/x', '-a.');
  const words = pattern.match(/[^/*?()|[\]{},!+@:\\]+/g) ?? ['a'];
  return [...units, ...words, ...words.map((word) => `${word}/`), words.join('')].flatMap((unit) => {
    const filled = start + unit.repeat(Math.ceil((LONGEST_PATH - start.length) / unit.length));
    return [`${filled.slice(0, LONGEST_PATH - 1)}\n`, `${filled.slice(0, LONGEST_PATH - 1)}~`];
  });
}
