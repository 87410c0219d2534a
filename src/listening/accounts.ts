/** Who may log in to what is served, and what for: one check for every protocol. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { XferError } from '../errors.js';
import { digestOf, type KeptPassword, parsePassword, type QuickPassword, type SlowPassword } from './password.js';

export interface Account {
  readonly user: string;
  /** Plain, or a hash: see `parsePassword`. */
  readonly password: string;
}

const MOST_LINES = 10_000;

/** `user:password`, the password, or a hash of it, being all after the first colon. USAGE, without what was typed, where it is not. */
export function parseAccount(text: string): Account {
  const colon = text.indexOf(':');
  const [user, password] = [text.slice(0, colon), text.slice(colon + 1)];
  if (colon <= 0 || password === '') {
    throw new XferError('USAGE', 'account: not of the form user:password', { hint: '--auth anna:SECRET' });
  }
  parsePassword(password);
  return { user, password };
}

/** One account a line of `file`; blank lines and those that start with # are left out. USAGE, with the line's number. */
export function parseAccounts(text: string, file: string): Account[] {
  const lines = text.split(/\r?\n/).map((line, index) => [line, index + 1] as const);
  const meant = lines.filter(([line]) => line.trim() !== '' && !line.startsWith('#'));
  if (meant.length > MOST_LINES) throw new XferError('USAGE', `accounts ${file}: more than ${MOST_LINES}`);
  return meant.map(([line, number]) => {
    try {
      return parseAccount(line);
    } catch (error) {
      if (!(error instanceof XferError)) throw error;
      throw new XferError(error.code, `accounts ${file}: line ${number}: ${error.message}`, {
        hint: 'a line is user:password; xfer serve --hash-password NAME makes one with a hash',
      });
    }
  });
}

/** Digits and letters without those that look alike (Crockford's base 32). */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** 130 random bits as 26 characters that are easy to read out and to type. */
export function randomSecret(): string {
  return [...randomBytes(26)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

/** Expensive checks that wait for their turn; those beyond are refused. */
const MOST_WAITING = 32;

interface Kept<Password extends KeptPassword> {
  readonly user: Buffer;
  readonly password: Password;
}

/** Compares names and passwords in a time that tells nothing of either. */
export class Accounts {
  readonly #quick: Kept<QuickPassword>[] = [];
  readonly #slow: Kept<SlowPassword>[] = [];
  /** Expensive checks that each login costs, whoever it is, also nobody: as many as the name with most of them needs. */
  readonly #slowChecks: number;
  #lastCheck: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** USAGE where a name or a password is empty, or a hash is not one that can be checked. */
  constructor(accounts: readonly Account[]) {
    const slowOf = new Map<string, number>();
    for (const { user, password } of accounts) {
      if (user === '') throw new XferError('USAGE', 'account: its name is empty', { hint: '--auth anna:SECRET' });
      const kept = parsePassword(password);
      const name = digestOf('sha256', user);
      if ('digest' in kept) this.#quick.push({ user: name, password: kept });
      else {
        this.#slow.push({ user: name, password: kept });
        slowOf.set(user, (slowOf.get(user) ?? 0) + 1);
      }
    }
    this.#slowChecks = Math.max(0, ...slowOf.values());
  }

  get size(): number {
    return this.#quick.length + this.#slow.length;
  }

  /**
   * Rejects with NO_SPACE where too many wait for an expensive check, of which there is one at a time. False, and at no
   * cost, where the answer is not wanted any more when its turn has come.
   */
  async check(user: string, password: string, wanted: () => boolean = () => true): Promise<boolean> {
    const name = digestOf('sha256', user);
    const typed = { sha256: digestOf('sha256', password), sha512: digestOf('sha512', password) };
    let matches = 0;
    for (const each of this.#quick) {
      const same = timingSafeEqual(each.password.digest, typed[each.password.algorithm]);
      matches += Number(timingSafeEqual(each.user, name)) & Number(same);
    }
    const own = this.#slow.filter((each) => timingSafeEqual(each.user, name));
    for (let check = 0; check < this.#slowChecks; check += 1) {
      const { matches: slowMatches } = (own[check] ?? (this.#slow[0] as Kept<SlowPassword>)).password;
      const same = await this.#inTurn(async () => wanted() && slowMatches(password));
      matches += Number(check < own.length) & Number(same);
    }
    return matches > 0;
  }

  /** One at a time, because each takes a thread of those that read files, and memory. */
  #inTurn(check: () => Promise<boolean>): Promise<boolean> {
    if (this.#waiting >= MOST_WAITING) {
      return Promise.reject(new XferError('NO_SPACE', 'login: too many others wait for theirs'));
    }
    this.#waiting += 1;
    const done = this.#lastCheck.then(check).finally(() => {
      this.#waiting -= 1;
    });
    this.#lastCheck = done.catch(() => undefined);
    return done;
  }
}
