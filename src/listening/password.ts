/** Passwords as they are kept: plain, or as a hash that does not give them away. */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { XferError } from '../errors.js';
import { ownFile } from '../package/own-files.js';

/** A password that can be compared by one quick hash of what was typed. */
export interface QuickPassword {
  readonly algorithm: 'sha256' | 'sha512';
  readonly digest: Buffer;
}

/** A password whose check takes long, and memory, so that a stolen file is of little use. */
export interface SlowPassword {
  readonly matches: (typed: string) => Promise<boolean>;
}

export type KeptPassword = QuickPassword | SlowPassword;

const HASH_HINT = 'for a line that can be kept, type: xfer serve --hash-password NAME (it asks for the password)';

/** What crypt(3), LDAP and others write, and none of ours: never to be taken for a plain password. */
const FOREIGN = /^(?:\$(?:1|2[abxy]?|5|6|7|y|gy|apr1|argon2(?:i|d|id)|pbkdf2(?:-sha\d+)?)\$|\{[A-Z0-9-]{3,20}\})/;

/** OWASP's advice for 32 MiB of memory (Password Storage Cheat Sheet, scrypt). */
const MADE = { ln: 15, r: 8, p: 3 } as const;
const MOST_MEMORY_BYTES = 128 << 20;
const MOST_LANES = 8;

interface Cost {
  /** The logarithm, to base 2, of N (RFC 7914, 2). */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/**
 * The password that a text stands for: `sha256:HEX`, `sha512:HEX` (as miniserve has them), `$scrypt$ln=15,r=8,p=3$SALT$HASH`
 * (the PHC string format), `$2y$10$...` (bcrypt, as `htpasswd -B` makes it), or itself. USAGE, without what was given, where it is empty, or a hash that cannot be checked.
 */
export function parsePassword(text: string): KeptPassword {
  if (text === '') throw new XferError('USAGE', 'account: its password is empty', { hint: '--auth anna:SECRET' });
  const [, algorithm, hex] = /^(sha256|sha512):(.*)$/s.exec(text) ?? [];
  if (algorithm !== undefined) return parseDigest(algorithm as QuickPassword['algorithm'], hex as string);
  if (text.startsWith('$scrypt$')) return parseScrypt(text);
  if (/^\$2[aby]\$/.test(text)) return parseBcrypt(text);
  if (FOREIGN.test(text)) throw unusable('is hashed in a form that is not known here');
  return { algorithm: 'sha256', digest: digestOf('sha256', text) };
}

function parseDigest(algorithm: QuickPassword['algorithm'], hex: string): QuickPassword {
  const length = algorithm === 'sha256' ? 32 : 64;
  if (!/^[0-9a-f]*$/i.test(hex) || hex.length !== 2 * length)
    throw unusable(`is no ${algorithm} of ${2 * length} digits`);
  return { algorithm, digest: Buffer.from(hex, 'hex') };
}

function unusable(reason: string): XferError {
  return new XferError('USAGE', `account: its password ${reason}`, { hint: HASH_HINT });
}

/** What is compared: of the same letters, however a keyboard composes them (RFC 8265, 4.2.2). */
export function digestOf(algorithm: QuickPassword['algorithm'], typed: string): Buffer {
  return createHash(algorithm).update(typed.normalize('NFC'), 'utf8').digest();
}

const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

function parseScrypt(text: string): SlowPassword {
  const [, ln, r, p, salt, hash] = PHC.exec(text) ?? [];
  if (hash === undefined) throw unusable('is no scrypt hash of the form $scrypt$ln=15,r=8,p=3$SALT$HASH');
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  if (cost.ln < 10 || cost.r < 1 || cost.p < 1 || cost.p > MOST_LANES || memoryBytes(cost) > MOST_MEMORY_BYTES) {
    throw unusable('is a scrypt hash of a cost that is not taken');
  }
  const [saltBytes, wanted] = [Buffer.from(salt as string, 'base64'), Buffer.from(hash, 'base64')];
  return { matches: async (typed) => timingSafeEqual(await derive(typed, saltBytes, wanted.length, cost), wanted) };
}

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** Each step doubles the time; the most is about two seconds. */
const LEAST_ROUNDS = 4;
const MOST_ROUNDS = 14;

function parseBcrypt(hash: string): SlowPassword {
  const [, rounds] = BCRYPT.exec(hash) ?? [];
  if (rounds === undefined) throw unusable('is no bcrypt hash of 60 characters');
  if (Number(rounds) < LEAST_ROUNDS || Number(rounds) > MOST_ROUNDS) {
    throw unusable(`is a bcrypt hash of a cost that is not from ${LEAST_ROUNDS} to ${MOST_ROUNDS}`);
  }
  return { matches: (typed) => bcryptMatches(typed.normalize('NFC'), hash) };
}

async function bcryptMatches(typed: string, hash: string): Promise<boolean> {
  const { Worker } = await import('node:worker_threads');
  const worker = new Worker(ownFile('listening/bcrypt-worker.js'), { workerData: { typed, hash } });
  return new Promise((resolve, reject) => {
    worker.once('message', (same: unknown) => resolve(same === true));
    worker.once('error', reject);
    worker.once('exit', () => reject(new XferError('INTERNAL', 'login: the check of a password ended early')));
  });
}

/** The line's second half for an accounts file: a new salt each time. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, 32, MADE);
  const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
  return `$scrypt$ln=${MADE.ln},r=${MADE.r},p=${MADE.p}$${unpadded(salt)}$${unpadded(hash)}`;
}

function memoryBytes({ ln, r }: Cost): number {
  return 128 * r * 2 ** ln;
}

const scryptAsync = promisify<string, Buffer, number, object, Buffer>(scrypt);

function derive(typed: string, salt: Buffer, length: number, cost: Cost): Promise<Buffer> {
  const { ln, r, p } = cost;
  // Node counts the lanes too, and refuses what needs just the most.
  const maxmem = memoryBytes(cost) + 128 * r * (p + 2) + 1024;
  return scryptAsync(typed.normalize('NFC'), salt, length, { N: 2 ** ln, r, p, maxmem });
}
