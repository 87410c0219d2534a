/** Lists of digests, as sha256sum and its like write them. */
import type { DigestAlgorithm } from './transport.js';

export interface ListedDigest {
  readonly algorithm: DigestAlgorithm;
  /** In lower case. */
  readonly hex: string;
}

const ALGORITHM_OF_LENGTH: Readonly<Record<number, DigestAlgorithm>> = { 64: 'sha256', 128: 'sha512' };
const ALONE = '';

/** Digests by the name that stands beside them. */
export class ChecksumList {
  readonly #digests = new Map<string, ListedDigest>();

  constructor(digests: Iterable<readonly [name: string, digest: ListedDigest]>) {
    for (const [name, digest] of digests) if (!this.#digests.has(name)) this.#digests.set(name, digest);
  }

  get size(): number {
    return this.#digests.size;
  }

  /** The digest of the first of these names that the list has, or of a list that is one digest without a name. */
  find(names: readonly string[]): ListedDigest | undefined {
    const named = names.find((name) => this.#digests.has(name));
    return this.#digests.get(named ?? ALONE);
  }
}

/**
 * The SHA-256 and SHA-512 digests of a list: lines of `hex  name` and `hex *name` (with a backslash before the hex where the
 * name has one escaped), of BSD's `SHA256 (name) = hex`, or a digest alone. Other lines, such as a signature's, are no digests.
 */
export function parseChecksums(text: string): ChecksumList {
  return new ChecksumList(text.split(/\r?\n/).flatMap((line) => [...lineDigests(line)]));
}

function* lineDigests(line: string): Generator<readonly [string, ListedDigest]> {
  const [, escaped, plainHex, plainName] = /^(\\?)([0-9a-fA-F]{64,128})(?: [ *](.*))?\s*$/.exec(line) ?? [];
  const [, bsdName, bsdHex] = /^SHA(?:256|512) \((.*)\) = ([0-9a-fA-F]{64,128})\s*$/.exec(line) ?? [];
  const hex = (plainHex ?? bsdHex ?? '').toLowerCase();
  const algorithm = ALGORITHM_OF_LENGTH[hex.length];
  if (algorithm === undefined) return;
  const name = (plainHex === undefined ? bsdName : plainName) ?? ALONE;
  yield [(escaped ? unescapeName(name) : name).replace(/^\.\//, ''), { algorithm, hex }];
}

/** As sha256sum escapes: a newline, a return and a backslash. */
function unescapeName(name: string): string {
  return name.replace(/\\([nr\\])/g, (_, mark: string) => ({ n: '\n', r: '\r' })[mark] ?? mark);
}
