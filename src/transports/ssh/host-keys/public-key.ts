/** Public keys as they are on the wire (RFC 4253, 6.6). */
import { createHash } from 'node:crypto';
import { XferError } from '../../../errors.js';

const MOST_KEY_BYTES = 64 * 1024;

/** Type that a key on the wire states. PROTOCOL where it is no key. */
export function keyTypeOf(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  const type = key.toString('latin1', 4, 4 + Math.min(length, 64));
  if (length < 1 || length > 64 || key.length <= 4 + length || key.length > MOST_KEY_BYTES || /[^!-~]/.test(type)) {
    throw new XferError('PROTOCOL', 'host key: not a key');
  }
  return type;
}

/** The key of a `type base64` pair, or undefined where it is none of that type. */
export function decodeKey(type: string, base64: string): Buffer | undefined {
  if (base64.length > MOST_KEY_BYTES * 2 || base64.length % 4 !== 0) return undefined;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const key = Buffer.from(base64, 'base64');
  try {
    return keyTypeOf(key) === type ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Bits of an RSA key's modulus (RFC 4253, 6.6); undefined for a key of another type. */
export function rsaBits(key: Buffer): number | undefined {
  if (keyTypeOf(key) !== 'ssh-rsa') return undefined;
  const exponent = 4 + 'ssh-rsa'.length;
  const at = exponent + 4 + (key.length >= exponent + 4 ? key.readUInt32BE(exponent) : 0);
  const length = key.length >= at + 4 ? key.readUInt32BE(at) : 0;
  let bytes = key.subarray(at + 4, at + 4 + length);
  while (bytes[0] === 0) bytes = bytes.subarray(1);
  return bytes.length === 0 ? 0 : bytes.length * 8 - Math.clz32(bytes[0] as number) + 24;
}

/** `SHA256:` and the digest of a key in base64 without padding, as ssh-keygen -l shows it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** `ED25519 SHA256:…`, as a person compares it. */
export function describeKey(key: Buffer): string {
  const type = keyTypeOf(key)
    .replace(/@.*$/, '')
    .replace(/^(sk-)?ssh-/, '$1');
  return `${type.replace(/^(sk-)?ecdsa-.*/, '$1ecdsa').toUpperCase()} ${fingerprint(key)}`;
}
