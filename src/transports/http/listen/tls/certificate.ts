/** A certificate that its own key has signed (RFC 5280). The signature is Node's; only the form is written here. */
import { createHash, createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { der, derBits, derOid, derTime, TAGS } from './der.js';

export interface CertificateTerms {
  /** Names and addresses that it is for. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const ECDSA_WITH_SHA256 = der(TAGS.sequence, derOid('1.2.840.10045.4.3.2'));
/** CN=xfer: of the issuer and of the subject. */
const NAME = der(
  TAGS.sequence,
  der(TAGS.set, der(TAGS.sequence, derOid('2.5.4.3'), der(TAGS.utf8, Buffer.from('xfer')))),
);
const VERSION_3 = der(0xa0, der(TAGS.integer, Buffer.of(2)));

/** The certificate, in PEM, of a private key on P-256: for servers, and not to sign others with. */
export function signCertificate(key: KeyObject, { names, notBefore, notAfter }: CertificateTerms): string {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const serial = serialNumber();
  const body = der(
    TAGS.sequence,
    VERSION_3,
    der(TAGS.integer, serial),
    ECDSA_WITH_SHA256,
    NAME,
    der(TAGS.sequence, derTime(notBefore), derTime(notAfter)),
    NAME,
    publicKey,
    der(0xa3, der(TAGS.sequence, ...extensions(publicKey, serial, names))),
  );
  const signature = sign('sha256', body, key);
  return new X509Certificate(der(TAGS.sequence, body, ECDSA_WITH_SHA256, derBits(signature))).toString();
}

/** 126 random bits: positive, and never with a zero in front. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return bytes;
}

function extensions(publicKey: Buffer, serial: Buffer, names: readonly string[]): Buffer[] {
  const identifier = createHash('sha256').update(publicKey).digest().subarray(0, 20);
  // Of several certificates that are trusted and have one name, OpenSSL takes the first unless this says which it is.
  const itself = [der(0x80, identifier), der(0xa1, der(0xa4, NAME)), der(0x82, serial)];
  return [
    extension('2.5.29.19', true, der(TAGS.sequence)), // basicConstraints: no authority
    extension('2.5.29.15', true, derBits(Buffer.of(0x80), 7)), // keyUsage: digitalSignature
    extension('2.5.29.37', false, der(TAGS.sequence, derOid('1.3.6.1.5.5.7.3.1'))), // extKeyUsage: serverAuth
    extension('2.5.29.14', false, der(TAGS.octets, identifier)), // subjectKeyIdentifier
    extension('2.5.29.35', false, der(TAGS.sequence, ...itself)), // authorityKeyIdentifier
    extension('2.5.29.17', false, der(TAGS.sequence, ...names.map(alternativeName))), // subjectAltName
  ];
}

function extension(oid: string, critical: boolean, value: Buffer): Buffer {
  const mark = critical ? [der(TAGS.boolean, Buffer.of(0xff))] : [];
  return der(TAGS.sequence, derOid(oid), ...mark, der(TAGS.octets, value));
}

/** A dNSName or an iPAddress (RFC 5280, 4.2.1.6). */
function alternativeName(name: string): Buffer {
  return isIP(name) === 0 ? der(0x82, Buffer.from(name, 'latin1')) : der(0x87, addressBytes(name));
}

/** The 4 or 16 bytes of an address. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  // A URL spells an address in groups of hex alone, one run of zeros left out.
  const spelled = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head, tail] = spelled.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const groups = [...(head ?? []), ...(tail ?? [])];
  const zeros = Array.from({ length: 8 - groups.length }, () => '0');
  const all = [...(head ?? []), ...zeros, ...(tail ?? [])];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
