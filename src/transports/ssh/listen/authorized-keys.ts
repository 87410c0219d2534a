/** Keys that may log in: lines as sshd's AuthorizedKeysFile holds them (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"). */
import ssh2, { type ParsedKey } from 'ssh2';
import { XferError } from '../../../errors.js';
import { readNamedFile } from '../../../files/named-file.js';
import { printable } from '../../../names.js';
import { decodeKey, rsaBits } from '../host-keys/public-key.js';

const MOST_FILE_BYTES = 1 << 20;
const MOST_LINE_BYTES = 16 * 1024;
const LEAST_RSA_BITS = 2048;

/** What these take away is given to nobody here, and what these give is not given either. */
const HARMLESS = new Set([
  'restrict',
  'no-agent-forwarding',
  'no-port-forwarding',
  'no-pty',
  'no-user-rc',
  'no-x11-forwarding',
  'agent-forwarding',
  'port-forwarding',
  'pty',
  'user-rc',
  'x11-forwarding',
  'permitlisten',
  'permitopen',
  'environment',
  'tunnel',
]);

/** Its signatures are made with SHA-1 (RFC 4253, 6.6). */
const REFUSED_TYPES = new Set(['ssh-dss']);

/** Keys by the bytes that a client sends of them. */
export class AuthorizedKeys {
  readonly #keys = new Map<string, ParsedKey>();

  get size(): number {
    return this.#keys.size;
  }

  add(key: ParsedKey): void {
    this.#keys.set(key.getPublicSSH().toString('base64'), key);
  }

  find(blob: Buffer): ParsedKey | undefined {
    return this.#keys.get(blob.toString('base64'));
  }
}

/**
 * Reads a file of keys. A line that cannot be kept to as it stands is left out with a notice. NOT_FOUND, DENIED; USAGE
 * where the file is longer than 1 MiB or holds no key that may be used.
 */
export async function readAuthorizedKeys(file: string, onNotice?: (line: string) => void): Promise<AuthorizedKeys> {
  const keys = parseAuthorizedKeys(await readNamedFile(file, MOST_FILE_BYTES, 'authorized keys'), (line, fault) => {
    onNotice?.(printable(`${file}:${line}: ${fault}; the key is not used`));
  });
  if (keys.size > 0) return keys;
  throw new XferError('USAGE', `authorized keys ${file}: no key in it can be used`, {
    hint: 'put the other person’s public key in it, such as ~/.ssh/id_ed25519.pub',
  });
}

/** `onFault` is told of each line that is left out, counted from 1. */
export function parseAuthorizedKeys(text: string, onFault: (line: number, fault: string) => void): AuthorizedKeys {
  const keys = new AuthorizedKeys();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const key = parseLine(line);
    if (typeof key === 'string') onFault(index + 1, key);
    else keys.add(key);
  }
  return keys;
}

/** The key, or why it is not taken. */
function parseLine(line: string): ParsedKey | string {
  if (line.length > MOST_LINE_BYTES) return 'the line is too long';
  const plain = keyOf(line);
  if (plain) return plain;
  const end = /^(ssh|ecdsa|sk)-/.test(line) ? 0 : optionsEnd(line);
  return optionsFault(line.slice(0, end)) ?? keyOf(line.slice(end).trim()) ?? 'not a key that can be checked here';
}

function keyOf(text: string): ParsedKey | undefined {
  const [type = '', blob = ''] = text.split(/\s+/, 2);
  const key = REFUSED_TYPES.has(type) ? undefined : decodeKey(type, blob);
  if (!key || (rsaBits(key) ?? LEAST_RSA_BITS) < LEAST_RSA_BITS) return undefined;
  const parsed = ssh2.utils.parseKey(`${type} ${blob}`);
  return parsed instanceof Error || parsed.type !== type ? undefined : parsed;
}

/** Where the first blank outside of quotes is. */
function optionsEnd(line: string): number {
  const match = /^(?:"(?:\\.|[^"\\])*"|[^\s"])*/.exec(line);
  return match?.[0].length ?? 0;
}

/** Why a line with these options is not kept to, or undefined. */
function optionsFault(text: string): string | undefined {
  for (const [option] of text.matchAll(/(?:"(?:\\.|[^"\\])*"|[^",])+/g)) {
    const name = (/^[A-Za-z0-9-]+/.exec(option)?.[0] ?? option).toLowerCase();
    if (!HARMLESS.has(name)) return `${name.slice(0, 40)} is not kept to here`;
  }
  return undefined;
}
