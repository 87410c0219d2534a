/** The key and the certificate that a listener shows, and what clients know them by. */
import { X509Certificate } from 'node:crypto';
import { pinOf } from '../../pins.js';

export interface TlsIdentity {
  /** The certificate in PEM; those of its issuers may follow it. */
  readonly cert: string;
  /** Its private key in PEM; a secret. */
  readonly key: string;
  /** Of the key, where it is encrypted. */
  readonly passphrase?: string;
}

export interface Fingerprints {
  /** SHA-256 of the certificate as browsers show it, `AB:CD:…`. */
  readonly fingerprint: string;
  /** SHA-256 of its public key, `sha256//…`: the same for each certificate of one key. */
  readonly pin: string;
}

export function fingerprintsOf({ cert }: TlsIdentity): Fingerprints {
  const certificate = new X509Certificate(cert);
  return { fingerprint: certificate.fingerprint256, pin: pinOf(certificate) };
}
