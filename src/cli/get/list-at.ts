/** Lists of digests behind URLs, each asked for once. */
import { type ChecksumList, parseChecksums } from '../../checksums.js';
import { XferError } from '../../errors.js';
import { describeLocation, type Location } from '../../location.js';
import { openSource } from '../../open.js';
import { collect } from '../../streams/collect.js';
import type { Scope } from '../../transport.js';
import type { HttpOptions } from '../../transports/http/index.js';

const MOST_LIST_BYTES = 64 << 20;

export class ListAt {
  readonly #options: HttpOptions;
  readonly #lists = new Map<string, Promise<ChecksumList | undefined>>();

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** The list. NOT_FOUND where nothing is there, PROTOCOL where it holds no digest, the errors of a download. */
  async must(location: Location, scope: Scope): Promise<ChecksumList> {
    const list = await this.#read(location, scope);
    if (list.size > 0) return list;
    throw new XferError('PROTOCOL', `verify by ${describeLocation(location)}: there is no SHA-256 or SHA-512 in it`);
  }

  /** The list, or undefined where nothing is there or it holds no digest; the errors of a download. */
  may(location: Location, scope: Scope): Promise<ChecksumList | undefined> {
    const key = location.url ?? '';
    const known = this.#lists.get(key) ?? this.#look(location, scope);
    this.#lists.set(key, known);
    known.catch(() => this.#lists.delete(key));
    return known;
  }

  async #look(location: Location, scope: Scope): Promise<ChecksumList | undefined> {
    try {
      const list = await this.#read(location, scope);
      return list.size > 0 ? list : undefined;
    } catch (error) {
      if (error instanceof XferError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  async #read(location: Location, scope: Scope): Promise<ChecksumList> {
    const source = await openSource(location, this.#options, scope);
    try {
      for await (const entry of source.entries(scope)) {
        const body = await source.read(entry, { start: 0 }, scope);
        return parseChecksums((await collect(body, MOST_LIST_BYTES, () => tooLong(location))).toString('utf8'));
      }
      return parseChecksums('');
    } finally {
      await source.close();
    }
  }
}

function tooLong(location: Location): XferError {
  return new XferError('PROTOCOL', `verify by ${describeLocation(location)}: too long for a list of digests`);
}
