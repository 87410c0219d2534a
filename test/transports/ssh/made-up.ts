/** Made-up keys, and lines of known_hosts with them. */
import { createHmac, randomBytes } from 'node:crypto';
import ssh2 from 'ssh2';

/** A key as on the wire; its point is made up, which nothing here looks at. */
export function makeKey(type: string, seed: number): Buffer {
  const parts = [Buffer.from(type), Buffer.alloc(32, seed)];
  return Buffer.concat(parts.flatMap((part) => [Buffer.from([0, 0, 0, part.length]), part]));
}

/** A line of known_hosts. */
export function knownLine(hosts: string, key: Buffer, marker = ''): string {
  return `${marker}${hosts} ${key.toString('latin1', 4, 4 + key.readUInt32BE(0))} ${key.toString('base64')} a comment`;
}

/** A name as HashKnownHosts writes it. */
export function hashedName(name: string, salt = randomBytes(20)): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

/** A pair of ed25519 keys. ssh2 makes one in some 300 that it cannot read itself. */
export function makeKeyPair(passphrase?: string): { private: string; public: string } {
  const lock = passphrase === undefined ? undefined : { passphrase, cipher: 'aes256-ctr', rounds: 1 };
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', lock);
    if (!(ssh2.utils.parseKey(pair.private, passphrase) instanceof Error)) return pair;
  }
}
