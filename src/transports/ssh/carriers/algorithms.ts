/** Which algorithms are offered, by ssh_config.5's lists. */
import type { Algorithms } from 'ssh2';
import { XferError } from '../../../errors.js';
import type { SshConfig } from '../config/config.js';
import { matchesPattern } from '../config/patterns.js';

const KEX = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group-exchange-sha256',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512',
  'diffie-hellman-group14-sha256',
];
const OLD_KEX = ['diffie-hellman-group-exchange-sha1', 'diffie-hellman-group14-sha1', 'diffie-hellman-group1-sha1'];
// ChaCha20 last: with a peer that lacks strict key exchange it is open to prefix truncation (CVE-2023-48795).
const CIPHERS = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
  'chacha20-poly1305@openssh.com',
];
const OLD_CIPHERS = ['aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc'];
const MACS = [
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
  'hmac-sha1-etm@openssh.com',
  'hmac-sha1',
];
const HOST_KEYS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];
const OLD_HOST_KEYS = ['ssh-rsa'];

/** Keyword -> what is offered, and what is known and offered only where it is asked for. */
const LISTS = {
  Ciphers: [CIPHERS, OLD_CIPHERS],
  HostKeyAlgorithms: [HOST_KEYS, OLD_HOST_KEYS],
  KexAlgorithms: [KEX, OLD_KEX],
  MACs: [MACS, []],
} as const;

/**
 * Lists for the connection. The host keys that known_hosts holds come first, unless the configuration says which do.
 * UNSUPPORTED where a list leaves none.
 */
export function algorithmsFor(config: SshConfig, knownTypes: readonly string[]): Algorithms {
  const hostKeys = select('HostKeyAlgorithms', config.hostKeyAlgorithms);
  const rsa = ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'];
  const known = new Set(knownTypes.flatMap((type) => (type === 'ssh-rsa' ? rsa : [type])));
  const ordered = [...hostKeys.filter((name) => known.has(name)), ...hostKeys.filter((name) => !known.has(name))];
  return {
    kex: select('KexAlgorithms', config.kexAlgorithms),
    cipher: select('Ciphers', config.ciphers),
    hmac: select('MACs', config.macs),
    serverHostKey: /^[^+-]/.test(config.hostKeyAlgorithms ?? '') ? hostKeys : ordered,
    compress: config.compression ? ['zlib@openssh.com', 'none'] : ['none'],
  } as Algorithms;
}

function select(keyword: keyof typeof LISTS, setting: string | undefined): string[] {
  const chosen = chosenAlgorithms(keyword, setting);
  if (chosen.length === 0) throw new XferError('UNSUPPORTED', `${keyword} ${setting}: none of these is known here`);
  return chosen;
}

/**
 * What a setting leaves of what is known here, best first: `a,b` replaces the usual list; `+a` adds to its end, `^a` to
 * its head, `-a` removes. `*` and `?` match.
 */
export function chosenAlgorithms(keyword: keyof typeof LISTS, setting: string | undefined): string[] {
  const [usual, old] = LISTS[keyword];
  if (setting === undefined) return [...usual];
  const how = /^[+^-]/.exec(setting)?.[0];
  const patterns = (how ? setting.slice(1) : setting).split(',');
  const known = [...usual, ...old];
  const named = patterns.flatMap((pattern) => known.filter((name) => matchesPattern(name, pattern)));
  const rest = usual.filter((name) => !named.includes(name));
  const chosen = how === '-' ? rest : how === '^' ? [...named, ...rest] : how === '+' ? [...usual, ...named] : named;
  return [...new Set(chosen)];
}
