/** The key of a sealed transfer: 128 random bits, as text to paste, and as the pre-shared keys of TLS. */
import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { XferError } from '../../../errors.js';

export const KEY_BYTES = 16;
/** Crockford's base 32: no I, L, O or U, so that a key can be read aloud and typed. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const CHECK_BITS = 12;
const TEXT_LENGTH = (KEY_BYTES * 8 + CHECK_BITS) / 5;
const GROUP = /.{4}(?=.)/g;

/** Which of the two ends sends files, and which takes them; or both do both, as a pipe. */
export type SealedRole = 'sender' | 'receiver' | 'pipe';

/** What the other end of one of this role must be. */
export function peerRole(role: SealedRole): SealedRole {
  if (role === 'pipe') return 'pipe';
  return role === 'sender' ? 'receiver' : 'sender';
}

export function newKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

/** Seven groups of four characters: the key, and twelve bits by which a mistyped one is known. */
export function formatKey(key: Uint8Array): string {
  let bits = (bigint(key) << BigInt(CHECK_BITS)) | BigInt(checkOf(key));
  let text = '';
  for (let at = 0; at < TEXT_LENGTH; at += 1) {
    text = ALPHABET.charAt(Number(bits & 31n)) + text;
    bits >>= 5n;
  }
  return text.replace(GROUP, '$&-');
}

/**
 * The key that a person typed: in either case, with or without dashes and spaces, and with O for 0 and I or L for 1. USAGE
 * where it is none; the message does not hold what was typed.
 */
export function parseKey(text: string, what = 'key'): Buffer {
  const plain = text.toLowerCase().replace(/[\s-]/g, '').replaceAll('o', '0').replace(/[il]/g, '1');
  const hint = 'copy it whole from where xfer printed it: seven groups of four letters and digits';
  if (plain.length !== TEXT_LENGTH || [...plain].some((character) => !ALPHABET.includes(character))) {
    throw new XferError('USAGE', `${what}: not one of xfer`, { hint });
  }
  const bits = [...plain].reduce((sum, character) => (sum << 5n) | BigInt(ALPHABET.indexOf(character)), 0n);
  const hex = (bits >> BigInt(CHECK_BITS)).toString(16).padStart(KEY_BYTES * 2, '0');
  const key = Buffer.from(hex, 'hex');
  if (BigInt(checkOf(key)) === (bits & ((1n << BigInt(CHECK_BITS)) - 1n))) return key;
  throw new XferError('USAGE', `${what}: a character of it is mistyped`, { hint });
}

/**
 * The pre-shared key of a connection that an end of `role` makes. Each direction has its own, so that an end is never
 * taken in by its own words sent back to it (RFC 9257, section 4.1), by HKDF (RFC 5869) with SHA-256.
 */
export function pskOf(key: Uint8Array, role: SealedRole): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `xfer sealed 1 ${role} connects`, 32));
}

/** What TLS calls the key, in the clear: who connects, and nothing else. */
export function pskIdentity(role: SealedRole): string {
  return `xfer sealed 1 ${role}`;
}

function checkOf(key: Uint8Array): number {
  const digest = createHash('sha256').update('xfer key').update(key).digest();
  return digest.readUInt16BE(0) >> (16 - CHECK_BITS);
}

function bigint(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}
