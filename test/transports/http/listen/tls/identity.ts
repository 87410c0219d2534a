/** Keys and certificates for tests, and clients that look at what a TLS server does. */
import { generateKeyPairSync } from 'node:crypto';
import { signCertificate } from '#xfer/transports/http/listen/tls/certificate.js';
import type { TlsIdentity } from '#xfer/transports/http/listen/tls/tls-identity.js';

export const DAY_MS = 86_400_000;

export interface IdentityTerms {
  readonly names?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A new key and a certificate that it signed, for 127.0.0.1 and localhost, from yesterday to tomorrow. */
export function makeIdentity({
  names = ['localhost', '127.0.0.1'],
  notBefore,
  notAfter,
}: IdentityTerms = {}): TlsIdentity {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = signCertificate(privateKey, {
    names,
    notBefore: notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: notAfter ?? new Date(Date.now() + DAY_MS),
  });
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
}
