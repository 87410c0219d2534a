/** Who may log in to what is served, and what for: one check for every protocol. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { XferError } from './errors.js';

export interface Account {
  readonly user: string;
  readonly password: string;
}

const MOST_LINES = 10_000;

/** `user:password`, the password being all after the first colon. USAGE, without what was typed, where it is not. */
export function parseAccount(text: string): Account {
  const colon = text.indexOf(':');
  const [user, password] = [text.slice(0, colon), text.slice(colon + 1)];
  if (colon > 0 && password !== '') return { user, password };
  throw new XferError('USAGE', 'account: not of the form user:password', { hint: '--auth anna:SECRET' });
}

/** One account a line; blank lines and those that start with # are left out. USAGE. */
export function parseAccounts(text: string): Account[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  if (lines.length > MOST_LINES) throw new XferError('USAGE', `accounts: more than ${MOST_LINES}`);
  return lines.map(parseAccount);
}

/** Digits and letters without those that look alike (Crockford's base 32). */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** 130 random bits as 26 characters that are easy to read out and to type. */
export function oneTimePassword(): string {
  return [...randomBytes(26)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

/** Compares names and passwords in a time that tells nothing of either. */
export class Accounts {
  readonly #digests: readonly { readonly user: Buffer; readonly password: Buffer }[];

  constructor(accounts: readonly Account[]) {
    this.#digests = accounts.map(({ user, password }) => ({ user: digestOf(user), password: digestOf(password) }));
  }

  get size(): number {
    return this.#digests.length;
  }

  check(user: string, password: string): boolean {
    const [userDigest, passwordDigest] = [digestOf(user), digestOf(password)];
    let matches = 0;
    for (const each of this.#digests) {
      const [sameUser, samePassword] = [
        timingSafeEqual(each.user, userDigest),
        timingSafeEqual(each.password, passwordDigest),
      ];
      matches += Number(sameUser) & Number(samePassword);
    }
    return matches > 0;
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
