import ssh2, { type ParsedKey } from 'ssh2';

const MAGIC = Buffer.from('openssh-key-v1\0');
const ARMOUR = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/;

/**
 * The public key that a file holds: a line `type base64`, or the open part of a private key in OpenSSH's format (its
 * PROTOCOL.key), which a passphrase does not cover. Undefined for anything else; with `only` for private keys too.
 */
export function publicHalf(file: Buffer, only?: 'only'): ParsedKey | undefined {
  const text = file.toString('latin1');
  const armoured = ARMOUR.exec(text)?.[1];
  if (armoured !== undefined) return only ? undefined : parseBlob(openPart(Buffer.from(armoured, 'base64')));
  const [line = ''] = text.trim().split('\n', 1);
  return /^[a-z0-9@.-]+ [A-Za-z0-9+/=]+/i.test(line) ? parsePublic(line) : undefined;
}

/** Cipher, key derivation and its options, the number of keys, then the first public key. */
function openPart(bytes: Buffer): Buffer | undefined {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  let at = MAGIC.length;
  const string = () => {
    if (at + 4 > bytes.length) return undefined;
    const start = at + 4;
    at = start + bytes.readUInt32BE(at);
    return at > bytes.length ? undefined : bytes.subarray(start, at);
  };
  for (let field = 0; field < 3; field++) if (!string()) return undefined;
  at += 4;
  return string();
}

function parseBlob(blob: Buffer | undefined): ParsedKey | undefined {
  if (!blob || blob.length < 4) return undefined;
  const type = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1');
  return /^[a-z0-9@.-]+$/i.test(type) ? parsePublic(`${type} ${blob.toString('base64')}`) : undefined;
}

function parsePublic(line: string): ParsedKey | undefined {
  const key = ssh2.utils.parseKey(line);
  return key instanceof Error || key.isPrivateKey() ? undefined : key;
}
