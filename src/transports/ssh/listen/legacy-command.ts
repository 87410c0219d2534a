/** The command that a client of the old scp protocol starts, read as a shell would, of which there is none here. */

export interface LegacyCommand {
  /** `-f` sends to the client, `-t` takes from it. */
  readonly role: 'send' | 'receive';
  readonly recursive: boolean;
  readonly preserve: boolean;
  /** `-d`: the target must be a directory. */
  readonly intoDirectory: boolean;
  /** Unquoted, but for a `\` before each character that was quoted and would mean something in a pattern. */
  readonly paths: readonly string[];
}

const LONGEST = 32 * 1024;
/** `[options] -t|-f [--] path…`, options grouped as clients will. */
const FLAGS = /^-[vrpdtfq]+$/;

/** Undefined for all that is no plain call of scp in one of its two roles: that is not to be started. */
export function parseLegacyCommand(line: string): LegacyCommand | undefined {
  const words = line.length > LONGEST ? undefined : splitWords(line);
  if (!words || !/^(?:\/(?:[\w.-]+\/)*)?scp$/.test(words[0] ?? '')) return undefined;
  let at = 1;
  let flags = '';
  for (; FLAGS.test(words[at] ?? ''); at += 1) flags += words[at];
  if (words[at] === '--') at += 1;
  else if (words[at]?.startsWith('-')) return undefined;
  const paths = words.slice(at).map((path) => path || '.');
  const sends = flags.includes('f');
  if (paths.length === 0 || sends === flags.includes('t') || (!sends && paths.length > 1)) return undefined;
  return {
    role: sends ? 'send' : 'receive',
    recursive: flags.includes('r'),
    preserve: flags.includes('p'),
    intoDirectory: flags.includes('d'),
    paths,
  };
}

/** One piece of a word in the shell's quoting (POSIX.1-2024, "Shell Command Language", 2.2). */
const PIECE =
  /\\(?<escaped>[^\n])|'(?<single>[^']*)'|"(?<double>(?:[^"\\$`]|\\[^\n])*)"|(?<plain>[^ \t\n\r\\'"$`;&|<>()#]|(?<=[^ \t])#)|(?<space>[ \t]+)/suy;

/** The words of a command, or undefined where it has anything that a shell would act on. */
function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  PIECE.lastIndex = 0;
  for (let at = 0; at < line.length; at = PIECE.lastIndex) {
    const { escaped, single, double, plain, space } = PIECE.exec(line)?.groups ?? {};
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (plain !== undefined) word = (word ?? '') + plain;
    else {
      const quoted = escaped ?? single ?? double?.replace(/\\([$`"\\])/g, '$1');
      if (quoted === undefined) return undefined;
      word = (word ?? '') + quoted.replace(/[\\*?[\]]/g, '\\$&');
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}
