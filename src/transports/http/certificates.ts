/** Certificates as text, and those that are trusted as a matter of course. */
import { X509Certificate } from 'node:crypto';
import * as tls from 'node:tls';
import { XferError } from '../../errors.js';

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** The certificates in a text in PEM, in its order. USAGE where there is none, or one is broken. */
export function parseCertificates(text: string, what: string): X509Certificate[] {
  const blocks = text.match(BLOCK) ?? [];
  if (blocks.length > 0) return blocks.map((block) => parseCertificate(block, what));
  throw new XferError('USAGE', `${what}: holds no certificate in PEM`, {
    hint: 'such a file has lines that say -----BEGIN CERTIFICATE-----',
  });
}

function parseCertificate(block: string, what: string): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch (error) {
    throw new XferError('USAGE', `${what}: a certificate in it is broken`, { cause: error });
  }
}

/**
 * What Node trusts where nothing else is said. From Node 22.15 on that is what its own options say, NODE_EXTRA_CA_CERTS
 * among them; before, the list that it brings.
 */
export function usualAuthorities(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] };
  return getCACertificates?.('default') ?? tls.rootCertificates;
}
