/** The key by which clients know this listener: made once, kept from then on. */
import ssh2, { type ParsedKey } from 'ssh2';
import { XferError } from '../../../errors.js';
import { keepSecret } from '../../../files/private-file.js';
import { describeKey } from '../host-keys/public-key.js';

export interface ServedHostKey {
  /** In OpenSSH's form; a secret. */
  readonly privateKey: string;
  /** `ED25519 SHA256:…`, as a person compares it. */
  readonly description: string;
}

/** Of a thousand Ed25519 keys that ssh2 makes, three or four cannot be read back. */
const TRIES = 16;

/** A new Ed25519 key, checked by a signature. INTERNAL where none can be made. */
export function makeHostKey(): ServedHostKey {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const key = hostKeyFrom(ssh2.utils.generateKeyPairSync('ed25519', { comment: 'xfer' }).private);
    if (key) return key;
  }
  throw new XferError('INTERNAL', 'host key: it could not be made');
}

/** The key in `file`, made where nothing is there. The codes are those of `keepSecret`. */
export function loadHostKey(file: string, platform = process.platform): Promise<ServedHostKey> {
  const secret = { what: 'host key', make: () => makeHostKey().privateKey, parse: hostKeyFrom };
  return keepSecret(file, secret, platform);
}

/** The key in OpenSSH's form, without a passphrase. USAGE where it is no private key that signs: each client would fail. */
export function checkHostKey(privateKey: string): string {
  if (hostKeyFrom(privateKey)) return privateKey;
  throw new XferError('USAGE', 'host key: not a private key without a passphrase', {
    hint: "make one: ssh-keygen -t ed25519 -N '' -f FILE",
  });
}

/** undefined where the text is no private key that signs. */
function hostKeyFrom(privateKey: string): ServedHostKey | undefined {
  const parsed: ParsedKey | Error = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error || !parsed.isPrivateKey()) return undefined;
  const said = Buffer.from('host key');
  const signature = parsed.sign(said);
  if (signature instanceof Error || parsed.verify(said, signature) !== true) return undefined;
  return { privateKey, description: describeKey(parsed.getPublicSSH()) };
}
