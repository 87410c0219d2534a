/** The words of the command line, with all their bytes. */
import { readFileSync } from 'node:fs';
import { nameFromBytes } from '../names.js';

const REPLACEMENT = '\uFFFD';

/**
 * The words behind the script's name. Node puts U+FFFD in the place of bytes that are not UTF-8; on Linux such words are read
 * from the process's own command line (proc_pid_cmdline(5)) and kept as names.ts says. Elsewhere names are text.
 */
export function typedWords(
  argv: readonly string[],
  platform: NodeJS.Platform = process.platform,
  readCommandLine: () => Buffer = () => readFileSync('/proc/self/cmdline'),
): readonly string[] {
  const words = argv.slice(2);
  if (platform !== 'linux' || !words.some((word) => word.includes(REPLACEMENT))) return words;
  try {
    const all = splitAtNul(readCommandLine());
    const typed = all.slice(all.length - words.length);
    return words.map((word, at) => (typed[at]?.toString() === word ? nameFromBytes(typed[at]) : word));
  } catch {
    return words;
  }
}

/** Each word is followed by a NUL. */
function splitAtNul(bytes: Buffer): Buffer[] {
  const words: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const nul = bytes.indexOf(0, start);
    const end = nul === -1 ? bytes.length : nul;
    words.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return words;
}
