/** Basic authentication (RFC 7617), for those who log in with each request, and against those who guess. */
import { createHmac, randomBytes } from 'node:crypto';
import { XferError } from '../../../../errors.js';
import { type Account, Accounts } from '../../../../listening/accounts.js';
import { networkOf } from '../../../../listening/client-address.js';
import { WrongLogins } from '../../../../listening/wrong-logins.js';
import { Recent } from '../../../../recent.js';

/** How long an answer to a wrong login waits. A person who mistypes does not notice the first. */
const WAITS = { wrongPasswordMs: 250, mostWrongPasswordMs: 8000 } as const;

/** Logins of one network that wait while another one of it is checked, and the waiting of all. */
const MOST_WAITING_OF_ONE = 8;
const MOST_WAITING = 64;

/** Right logins that are remembered, and for how long after their last use. */
const MOST_KNOWN = 1000;
const KNOWN_MS = 5 * 60_000;

/** The name of whoever is logged in, or why nobody is: 401 where the login is wrong, 429 where too many are. */
export type Login = { readonly user: string } | 401 | 429;

interface Known {
  readonly user: string;
  lastMs: number;
}

interface Line {
  waiting: number;
  last: Promise<unknown>;
}

export class Logins {
  readonly #accounts: Accounts;
  readonly #wrong = new WrongLogins(WAITS);
  readonly #key = randomBytes(32);
  readonly #known = new Recent<string, Known>({ most: MOST_KNOWN });
  /** Checks under way: what a client sends over ten connections at once is one. */
  readonly #asked = new Map<string, Promise<Login>>();
  readonly #lines = new Map<string, Line>();
  #closed = false;

  /** USAGE where nobody could log in, or an account is none. */
  constructor(accounts: readonly Account[]) {
    if (accounts.length === 0) {
      throw new XferError('USAGE', 'serve: nobody could log in', { hint: 'give an account: --auth anna:SECRET' });
    }
    this.#accounts = new Accounts(accounts);
  }

  /**
   * Checks an Authorization field from an address. The logins of one network are checked one after another, each wrong
   * one holding up the next; one that was right a while ago is known and waits for nobody. Rejects as `Accounts.check`.
   */
  check(field: string | undefined, address: string, nowMs = performance.now()): Promise<Login> | Login {
    const given = field === undefined ? undefined : parseBasic(field);
    if (!given) return 401;
    // Kept by a digest under a key of this run, so that no password lies in memory for long.
    const digest = createHmac('sha256', this.#key).update(`${given.user}:${given.password}`).digest('base64');
    const known = this.#recall(digest, nowMs);
    if (known) return known;
    const asked = this.#asked.get(digest);
    if (asked) return asked;
    const network = networkOf(address);
    const line = this.#lines.get(network) ?? { waiting: 0, last: Promise.resolve() };
    if (line.waiting >= MOST_WAITING_OF_ONE || this.#asked.size >= MOST_WAITING) return 429;
    const answer = line.last.then(() => this.#ask(given, digest, network, nowMs));
    this.#stand(line, network, answer);
    this.#asked.set(digest, answer);
    const forget = (): void => void this.#asked.delete(digest);
    answer.then(forget, forget);
    return answer;
  }

  /** Checks nothing any more: whoever waits has gone. */
  close(): void {
    this.#closed = true;
  }

  #stand(line: Line, network: string, answer: Promise<Login>): void {
    const leave = (): void => {
      line.waiting -= 1;
      if (line.waiting === 0) this.#lines.delete(network);
    };
    line.waiting += 1;
    line.last = answer.then(leave, leave);
    this.#lines.set(network, line);
  }

  async #ask({ user, password }: Account, digest: string, network: string, nowMs: number): Promise<Login> {
    if (await this.#accounts.check(user, password, () => !this.#closed)) {
      this.#known.set(digest, { user, lastMs: nowMs });
      return { user };
    }
    const delayMs = this.#wrong.add(network);
    await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
    return 401;
  }

  #recall(digest: string, nowMs: number): Known | undefined {
    const known = this.#known.get(digest);
    if (!known) return undefined;
    if (nowMs - known.lastMs > KNOWN_MS) {
      this.#known.delete(digest);
      return undefined;
    }
    known.lastMs = nowMs;
    return known;
  }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** User and password of an Authorization field; undefined where it is another scheme, or malformed. */
export function parseBasic(field: string): Account | undefined {
  const [, token] = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(field) ?? [];
  if (token === undefined) return undefined;
  let text: string;
  try {
    text = strict.decode(Buffer.from(token, 'base64'));
  } catch {
    return undefined;
  }
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
