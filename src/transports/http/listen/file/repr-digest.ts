/** Digests of what is served, for those who want one: RFC 9530. */
import type { ServerResponse } from 'node:http';
import { Slots } from '../../../../concurrency/slots.js';
import { throwIfAborted } from '../../../../errors.js';
import { Recent } from '../../../../recent.js';
import { streamDigest } from '../../../../streams/digest.js';
import type { DigestAlgorithm, OpenFile } from '../../../../transport.js';
import { DIGEST_FIELDS } from '../../validator.js';
import type { Exchange } from '../exchange.js';
import { watchClient } from '../watch-client.js';

const MOST_KEPT = 1000;
const MOST_AT_ONCE = 4;

/** How long a file waits for others to be hashed. A client that puts a folder anew asks after many at once. */
const MOST_WAIT_MS = 5000;

/** A longer Want-Repr-Digest than any client sends. */
const MOST_WANTED_CHARACTERS = 500;

/** While a long file is hashed nothing else moves on the connection, and either end might take that for its death. */
const SIGN_OF_LIFE_MS = 10_000;

/** Computes each digest once for a version of a file. */
export class ReprDigests {
  readonly #kept = new Recent<string, string>({ most: MOST_KEPT });
  readonly #places = new Slots(MOST_AT_ONCE);

  /**
   * The value of Repr-Digest for all bytes of the file, by the algorithm that the request likes best; undefined where it
   * wants none, the size is unknown, or others are hashed meanwhile and this one would have to wait too long. `lasting`:
   * equal versions mean equal bytes. Rejects as the file's stream does, DISCONNECTED where the client has gone.
   */
  async fieldFor(exchange: Exchange, file: OpenFile, lasting: boolean): Promise<string | undefined> {
    const algorithm = wantedAlgorithm(exchange.request.headers['want-repr-digest']);
    const { size, version, path } = file.entry;
    if (algorithm === undefined || size === undefined) return undefined;
    const key = `${algorithm} ${version} ${path}`;
    const value = this.#kept.get(key) ?? (await this.#compute(exchange, file, algorithm));
    if (value === undefined) return undefined;
    if (lasting && version !== undefined) this.#kept.set(key, value);
    return value;
  }

  async #compute(exchange: Exchange, file: OpenFile, algorithm: DigestAlgorithm): Promise<string | undefined> {
    const { request, response } = exchange;
    const gone = new AbortController();
    const unwatch = watchClient(request, response, (error) => gone.abort(error));
    const alive = setInterval(() => tellAlive(response), SIGN_OF_LIFE_MS);
    try {
      if (!(await this.#hasPlace(gone.signal))) return undefined;
      try {
        const hex = await streamDigest(file.read({ start: 0, end: file.entry.size as number }), algorithm, gone);
        return `${DIGEST_FIELDS[algorithm].field}=:${Buffer.from(hex, 'hex').toString('base64')}:`;
      } finally {
        this.#places.give();
      }
    } finally {
      clearInterval(alive);
      unwatch();
    }
  }

  /** Whether one came free in time. */
  async #hasPlace(gone: AbortSignal): Promise<boolean> {
    if (this.#places.tryTake()) return true;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), MOST_WAIT_MS);
    try {
      await this.#places.take({ signal: AbortSignal.any([gone, late.signal]) });
      return true;
    } catch {
      throwIfAborted(gone);
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** 102 (RFC 2518, 10.1), which no client takes for the answer, and none of HTTP/1.0 knows. */
function tellAlive(response: ServerResponse): void {
  if (response.req.httpVersion === '1.1' && !response.headersSent) response.writeProcessing();
}

/** The algorithm of the greatest weight in a Want-Repr-Digest field (RFC 9530, 4); undefined where none is known. */
export function wantedAlgorithm(field: string | string[] | undefined): DigestAlgorithm | undefined {
  if (field === undefined) return undefined;
  const text = String(field).slice(0, MOST_WANTED_CHARACTERS);
  let best: { readonly algorithm: DigestAlgorithm; readonly weight: number } | undefined;
  for (const member of text.split(',')) {
    const [, name, weight] = /^\s*([a-z][a-z0-9-]*)\s*=\s*([0-9]{1,2})\s*$/.exec(member) ?? [];
    for (const algorithm of Object.keys(DIGEST_FIELDS) as DigestAlgorithm[]) {
      if (DIGEST_FIELDS[algorithm].field !== name || Number(weight) <= (best?.weight ?? 0)) continue;
      best = { algorithm, weight: Number(weight) };
    }
  }
  return best?.algorithm;
}
