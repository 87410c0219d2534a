/** Knowing a server by a digest of its key, where no authority vouches for it. */
import { createHash, type X509Certificate } from 'node:crypto';
import { XferError } from '../../errors.js';

/** Lower-case hex of a SHA-256 of a key or of a certificate. */
export type Pin = string;

const SHA256_BYTES = 32;

/** `sha256//…`: the SHA-256 of a certificate's public key in base64 (RFC 7469, 2.4), as curl's `--pinnedpubkey` takes it. */
export function pinOf(certificate: X509Certificate): string {
  return `sha256//${keyDigest(certificate).toString('base64')}`;
}

/**
 * A pin in any spelling that programs print: `sha256//` and base64 as curl and xfer do; hex, with or without colons, with
 * or without `sha256:` before it, as browsers and openssl do. USAGE otherwise.
 */
export function parsePin(text: string): Pin {
  const base64 = /^sha256\/\/([A-Za-z0-9+/]{43}=?)$/i.exec(text)?.[1];
  const hex = /^(?:sha-?256[:=])?((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})$/i.exec(text)?.[1];
  const bytes =
    base64 === undefined ? Buffer.from((hex ?? '').replaceAll(':', ''), 'hex') : Buffer.from(base64, 'base64');
  if (bytes.length === SHA256_BYTES) return bytes.toString('hex');
  throw new XferError('USAGE', `pin ${text.slice(0, 100)}: not a SHA-256 of a key`, {
    hint: 'it is what the server printed, as in: --pin sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  });
}

/** Whether one of the pins is the digest of the certificate's key, or of the certificate, which holds its key. */
export function isPinned(certificate: X509Certificate, pins: readonly Pin[]): boolean {
  const certificateDigest = createHash('sha256').update(certificate.raw).digest('hex');
  return pins.includes(certificateDigest) || pins.includes(keyDigest(certificate).toString('hex'));
}

function keyDigest(certificate: X509Certificate): Buffer {
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}
