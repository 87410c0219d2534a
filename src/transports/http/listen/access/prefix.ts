/** What stands before the share in each path: the base path and the token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { XferError } from '../../../../errors.js';
import { lastPart, pathParts } from '../../../../names.js';
import { encodeName } from '../target.js';

const TOKEN = /^[A-Za-z0-9_-]{22,128}$/;

/** Shown in place of the token. */
const HIDDEN = '***';

export class Prefix {
  /** As it stands in each URL, before a `/`; empty where there is none. */
  readonly text: string;
  readonly #base: string;
  readonly #token: string | undefined;
  readonly #digest: Buffer | undefined;

  /** USAGE, without the token, where either is not one. */
  constructor(basePath: string | undefined, token: string | undefined) {
    if (token !== undefined && !TOKEN.test(token)) {
      throw new XferError('USAGE', 'token: not 22 to 128 letters, digits, - and _', {
        hint: 'leave XFER_TOKEN out, and a fresh one is made',
      });
    }
    this.#base = basePath === undefined ? '' : normalBase(basePath);
    this.#token = token;
    this.#digest = token === undefined ? undefined : digestOf(token);
    this.text = token === undefined ? this.#base : `${this.#base}/${token}`;
  }

  /** What follows the `/` after the host in the URL of the share, with a `/` at its end where it is not empty. */
  get below(): string {
    return this.text === '' ? '' : `${this.text.slice(1)}/`;
  }

  /** `text` as it reads, not escaped. */
  get path(): string {
    return decodeURIComponent(this.text);
  }

  get secret(): boolean {
    return this.#token !== undefined;
  }

  /**
   * What of a target (RFC 9112, 3.2.1) is left for the share, from its `/`; undefined where it does not lie there; a
   * relative reference to it, as `location`, where its last `/` is missing.
   */
  strip(target: string): string | { readonly location: string } | undefined {
    if (this.text === '') return target;
    if (!target.startsWith(this.#base)) return undefined;
    const query = target.includes('?') ? target.slice(target.indexOf('?')) : '';
    const path = target.slice(this.#base.length, target.length - query.length);
    if (path !== '' && !path.startsWith('/')) return undefined;
    if (this.#digest === undefined) return path === '' ? this.#redirect(query) : path + query;
    const slash = path.indexOf('/', 1);
    const part = slash < 0 ? path.slice(1) : path.slice(1, slash);
    // Of digests, because the lengths have to be the same.
    if (!timingSafeEqual(this.#digest, digestOf(part))) return undefined;
    return slash < 0 ? this.#redirect(query) : path.slice(slash) + query;
  }

  #redirect(query: string): { location: string } {
    return { location: `./${lastPart(this.text)}/${query.replace(/[^\x21-\x7e]/g, '')}` };
  }

  /** The same record with the token taken out of its text: it may be in a target, and in the Referer that some send. */
  hide<Told extends object>(told: Told): Told {
    const token = this.#token;
    if (token === undefined) return told;
    const hidden = Object.entries(told).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.replaceAll(token, HIDDEN) : value,
    ]);
    return Object.fromEntries(hidden) as Told;
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** `/files` for `files`, `/files` and `/files/`, percent-encoded as a client sends it; empty for `/`. */
function normalBase(given: string): string {
  const path = given.replace(/^\/|\/$/g, '');
  const parts = pathParts(path)?.map(decoded);
  if (!parts || /[?#]/.test(path) || parts.some((part) => pathParts(part)?.length !== 1)) {
    throw new XferError('USAGE', `base path ${given}: not a path`, { hint: '--base-path /files' });
  }
  return parts.map((part) => `/${encodeName(part)}`).join('');
}

/** Of a part given as it stands in a URL, or as it reads. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
