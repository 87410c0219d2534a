/** Paths for the far shell, and what they may bring. */
import { XferError } from '../../../errors.js';
import { compileGlob, hasGlob, withoutEscapes } from '../../../glob.js';
import { isText } from '../../../names.js';
import { shellPath } from '../shell-words.js';

const HOME = /^~[A-Za-z0-9._-]*(?=\/|$)/;
/** Last parts that name nothing. */
const NAMELESS = ['', '.', '..'];
const MOST_ALTERNATIVES = 1000;

/**
 * A path as a word for the far shell, which the old protocol cannot do without (CVE-2020-15778): home directories, patterns
 * and braces mean there what they always did, and nothing else means anything. `escapes`: a backslash makes the next
 * character ordinary. USAGE for a NUL byte, UNSUPPORTED for bytes that are no text.
 */
export function quoteFarPath(path: string, escapes: boolean): string {
  if (path.includes('\0')) throw new XferError('USAGE', `path ${path}: holds a NUL byte`);
  if (!isText(path)) throw new XferError('UNSUPPORTED', `path ${path}: the old scp protocol takes only UTF-8 here`);
  return shellPath(escapes ? path : path.replaceAll('\\', '\\\\'));
}

export interface ScpFlags {
  readonly recursive: boolean;
  readonly preserve: boolean;
  /** The target must be a directory. */
  readonly intoDirectory?: boolean;
}

/** The command that scp starts on the far side: `-f` sends from there, `-t` takes. */
export function scpCommand(role: 'f' | 't', path: string, flags: ScpFlags): string {
  const word = quoteFarPath(path === '' ? '.' : path, role === 'f');
  const options = [
    ...(flags.recursive ? ['-r'] : []),
    ...(flags.preserve ? ['-p'] : []),
    ...(flags.intoDirectory ? ['-d'] : []),
    `-${role}`,
  ];
  return `scp ${options.join(' ')} ${word}`;
}

/** Whether a typed source may be more than one thing. */
export function isFarPattern(typed: string): boolean {
  return hasGlob(typed) || /\{[^}]*,.*\}/s.test(withoutEscapes(typed));
}

/** The last part of a typed path, as a far scp takes it: without slashes at its end. */
export function farBaseName(typed: string): string {
  const trimmed = typed.replace(/(?<=.)\/+$/s, '');
  return trimmed === '' ? '.' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

/**
 * Whether a name is one that a typed source stands for (CVE-2019-6111; scp.c, `brace_expand` and `fnmatch`). A home
 * directory, or `.`, has a name that nobody typed: there any is. USAGE for too many alternatives.
 */
export function expectedNames(typed: string): (name: string) => boolean {
  const bases = expandBraces(typed).map(farBaseName);
  const patterns = bases.map((base) => compileGlob(base, '!^'));
  const isHome = HOME.test(typed) && !/[^/]\/+[^/]/.test(typed);
  const isNameless = isHome || bases.some((base) => NAMELESS.includes(base));
  return (name) =>
    isNameless ||
    bases.some((base) => base === name || withoutEscapes(base) === name) ||
    patterns.some((is) => is(name));
}

/** `a{b,c}` as `ab` and `ac`, and as itself, for a shell without braces. */
function expandBraces(typed: string): string[] {
  const done: string[] = [typed];
  const queue = [typed];
  for (let word = queue.pop(); word !== undefined; word = queue.pop()) {
    const match = GROUP.exec(word);
    if (match) {
      const [, before, inside, after] = match as unknown as [string, string, string, string];
      queue.push(...alternatives(inside).map((choice) => before + choice + after));
    } else if (word !== typed) done.push(word);
    if (queue.length + done.length > MOST_ALTERNATIVES) {
      throw new XferError('USAGE', `path ${typed}: its braces stand for more than ${MOST_ALTERNATIVES} names`);
    }
  }
  return done;
}

/** The first group with a comma that holds no other group. */
const GROUP = /^((?:\\.|[^\\])*?)\{((?:\\.|[^\\{}])*,(?:\\.|[^\\{}])*)\}(.*)$/s;

function alternatives(inside: string): string[] {
  const found = [''];
  for (const piece of inside.match(/\\.|./gs) ?? []) {
    if (piece === ',') found.push('');
    else found.push(found.pop() + piece);
  }
  return found;
}
