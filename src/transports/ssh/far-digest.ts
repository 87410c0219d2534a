/** A digest that the far side computes by itself, by a program that most machines have. */

import { isText, nameFromBytes } from '../../names.js';
import type { DigestAlgorithm, Scope } from '../../transport.js';
import type { Carrier } from './carriers/carrier.js';
import { shellWord } from './shell-words.js';

/** Smaller files are read back in less time than a program takes to start. */
export const WORTH_A_PROGRAM_BYTES = 1 << 20;

export type FarDigest = (path: Buffer, algorithm: DigestAlgorithm, scope: Scope) => Promise<string | undefined>;

const MOST_ANSWER_BYTES = 64 << 10;
const HEX_DIGITS = { sha256: 64, sha512: 128 } as const;

/**
 * Digest of a file in lower-case hex, by `sha256sum` or `shasum`; undefined where no command can be started there, or its
 * answer is no digest. `path` is absolute: a shell may start elsewhere than sftp does. The signal's reason.
 */
export async function farDigest(
  carrier: Carrier,
  path: Buffer,
  algorithm: DigestAlgorithm,
  scope: Scope,
): Promise<string | undefined> {
  const text = nameFromBytes(path);
  if (!carrier.execute || !isText(text)) return undefined;
  const word = shellWord(text);
  const command = `${algorithm}sum -- ${word} || shasum -a ${algorithm.slice(3)} -- ${word}`;
  try {
    const { stream, stderr, exitCode } = await carrier.execute(command, scope);
    stderr.resume();
    stream.end();
    const answer = await readAnswer(stream);
    if ((await exitCode) !== 0) return undefined;
    // A backslash in front says that the name which follows is escaped (coreutils, "md5sum invocation").
    const hex = /^\\?([0-9a-f]+) [ *]/.exec(answer)?.[1];
    return hex?.length === HEX_DIGITS[algorithm] ? hex : undefined;
  } catch {
    scope.signal.throwIfAborted();
    return undefined;
  }
}

async function readAnswer(stream: AsyncIterable<Buffer>): Promise<string> {
  let answer = '';
  for await (const chunk of stream) {
    answer += chunk.toString('latin1');
    if (answer.length > MOST_ANSWER_BYTES) break;
  }
  return answer;
}
