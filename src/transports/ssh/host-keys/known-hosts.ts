/** known_hosts files (sshd.8, SSH_KNOWN_HOSTS FILE FORMAT): which keys a host is known by. */
import { createHmac, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { toXferError, XferError } from '../../../errors.js';
import { readAtMost } from '../../../files/named-file.js';
import { bytesFromName, nameFromBytes } from '../../../names.js';
import type { SshConfig } from '../config/config.js';
import { matchesHostList } from '../config/patterns.js';
import { decodeKey, keyTypeOf } from './public-key.js';

/** Bytes of one known_hosts file at most. */
const MOST_KNOWN_HOSTS_BYTES = 16 * 1024 * 1024;
const USUAL_PORT = 22;

const KEY_TYPES = new Set([
  'ssh-ed25519',
  'ssh-rsa',
  'ssh-dss',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
]);

/** A line that matches a host. */
export interface KnownKey {
  readonly type: string;
  /** As on the wire (RFC 4253, 6.6). */
  readonly key: Buffer;
  readonly revoked: boolean;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export type HostKeyVerdict = 'known' | 'unknown' | 'changed' | 'revoked';

export interface HostKeyCheck {
  readonly verdict: HostKeyVerdict;
  /** The line that decided; absent for 'unknown'. */
  readonly file?: string;
  readonly line?: number;
}

interface KnownLine extends KnownKey {
  readonly hosts: string;
}

/** Where a line stands. */
export interface KnownPlace {
  readonly file: string;
  readonly line: number;
}

interface AuthorityLine extends KnownPlace {
  readonly hosts: string;
}

/** How known_hosts names a host: `[host]:port` unless the port is 22; in lower case. */
export function knownHostName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === USUAL_PORT ? name : `[${name}]:${port}`;
}

/** What known_hosts is asked for: HostKeyAlias without a port, else host and port. */
export function knownHostSubject(config: Pick<SshConfig, 'hostKeyAlias' | 'hostName' | 'port'>): {
  host: string;
  port: number;
} {
  if (config.hostKeyAlias !== undefined) return { host: config.hostKeyAlias, port: USUAL_PORT };
  return { host: config.hostName, port: config.port };
}

interface KnownLines {
  readonly keys: readonly KnownLine[];
  /** `@cert-authority` lines, which vouch for nothing here. */
  readonly authorities: readonly AuthorityLine[];
  /** Lines left out because they were not right or of no known key type. */
  readonly skippedCount: number;
}

/** The keys of some files, as they were when loaded. */
export class KnownHosts {
  readonly #lines: KnownLines;

  private constructor(lines: KnownLines) {
    this.#lines = lines;
  }

  /** Reads files; a missing one is empty. DENIED where one is there and cannot be read whole, so that nothing is trusted. */
  static async load(files: readonly string[]): Promise<KnownHosts> {
    const parts: KnownLines[] = [];
    for (const file of files) parts.push(parseLines(await readKnownHosts(file), file));
    return new KnownHosts(joined(parts));
  }

  /** These and the lines of a text, which `name` stands for in messages. */
  with(text: string, name: string): KnownHosts {
    return new KnownHosts(joined([this.#lines, parseLines(text, name)]));
  }

  get skippedCount(): number {
    return this.#lines.skippedCount;
  }

  /** Where a certificate authority is trusted for this host and port. */
  authorities(host: string, port: number): readonly KnownPlace[] {
    const names = new Set([knownHostName(host, port), knownHostName(host, USUAL_PORT)]);
    return this.#lines.authorities.filter(({ hosts }) => [...names].some((name) => matchesHosts(name, hosts)));
  }

  /** Where this very key stands for other hosts, too. */
  placesOf(key: Buffer): readonly KnownPlace[] {
    return this.#lines.keys.filter((line) => !line.revoked && line.key.equals(key));
  }

  /** Lines for exactly this host and port, in the order of the files, revoked ones included. */
  lookup(host: string, port: number): readonly KnownKey[] {
    const name = knownHostName(host, port);
    return this.#lines.keys.filter(({ hosts }) => matchesHosts(name, hosts));
  }

  /**
   * Judges a key as OpenSSH's check_key_in_hostkeys does: revoked before all; known where a line holds this very key;
   * changed where lines hold only others, of whatever type, which is why `keyTypes` should order what is asked for;
   * unknown where no line matches. A host on another port than 22 is also known by a line without the port.
   */
  check(host: string, port: number, key: Buffer): HostKeyCheck {
    const found = judge(this.lookup(host, port), key);
    if (port === USUAL_PORT || (found.verdict !== 'unknown' && found.verdict !== 'changed')) return found;
    const withoutPort = judge(this.lookup(host, USUAL_PORT), key);
    if (withoutPort.verdict === 'revoked') return withoutPort;
    return found.verdict === 'unknown' && withoutPort.verdict === 'known' ? withoutPort : found;
  }

  /** Types of the keys that a host is known by, without repeats, in the order of the files; empty where it is not known. */
  keyTypes(host: string, port: number): string[] {
    const own = this.lookup(host, port).filter(({ revoked }) => !revoked);
    if (own.length === 0 && port !== USUAL_PORT) return this.keyTypes(host, USUAL_PORT);
    return [...new Set(own.map(({ type }) => type))];
  }
}

function judge(lines: readonly KnownKey[], key: Buffer): HostKeyCheck {
  const same = lines.filter((line) => line.key.equals(key));
  const at = (verdict: HostKeyVerdict, line: KnownKey) => ({ verdict, file: line.file, line: line.line });
  const revoked = same.find((line) => line.revoked);
  if (revoked) return at('revoked', revoked);
  const [known] = same;
  if (known) return at('known', known);
  const others = lines.filter((line) => !line.revoked);
  const other = others.find(({ type }) => type === keyTypeOf(key)) ?? others[0];
  return other ? at('changed', other) : { verdict: 'unknown' };
}

async function readKnownHosts(file: string): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(bytesFromName(file), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await handle.stat();
    if (!stats.isFile() && !stats.isCharacterDevice()) throw new XferError('DENIED', `known hosts ${file}: not a file`);
    return nameFromBytes(await readAtMost(handle, MOST_KNOWN_HOSTS_BYTES, `known hosts ${file}`));
  } catch (error) {
    const failed = toXferError(error, `known hosts ${file}`);
    if (failed.code === 'NOT_FOUND') return '';
    throw failed.code === 'DENIED' ? failed : new XferError('DENIED', failed.message, { cause: error });
  } finally {
    await handle?.close();
  }
}

function joined(parts: readonly KnownLines[]): KnownLines {
  return {
    keys: parts.flatMap(({ keys }) => keys),
    authorities: parts.flatMap(({ authorities }) => authorities),
    skippedCount: parts.reduce((sum, { skippedCount }) => sum + skippedCount, 0),
  };
}

function parseLines(text: string, file: string): KnownLines {
  const keys: KnownLine[] = [];
  const authorities: AuthorityLine[] = [];
  let skippedCount = 0;
  for (const [at, written] of text.split('\n').entries()) {
    const line = at + 1;
    const words = written.split(/[ \t\r]+/).filter((word) => word !== '');
    if (words[0] === undefined || words[0].startsWith('#')) continue;
    const marker = words[0].startsWith('@') ? words.shift() : undefined;
    const [hosts] = words;
    const key = marker === undefined || marker === '@revoked' ? keyOf(words) : undefined;
    if (marker === '@cert-authority' && hosts !== undefined) authorities.push({ hosts, file, line });
    else if (key) keys.push({ ...key, revoked: marker !== undefined, file, line });
    else skippedCount++;
  }
  return { keys, authorities, skippedCount };
}

function keyOf([hosts, type, base64]: readonly string[]): Pick<KnownLine, 'hosts' | 'type' | 'key'> | undefined {
  if (hosts === undefined || type === undefined || base64 === undefined || !KEY_TYPES.has(type)) return undefined;
  const key = decodeKey(type, base64);
  return key && { hosts, type, key };
}

const SHA1_BYTES = 20;

function matchesHosts(name: string, hosts: string): boolean {
  if (!hosts.startsWith('|')) return matchesHostList(name, hosts);
  const [, magic, salt, hash, rest] = hosts.split('|', 5);
  if (magic !== '1' || salt === undefined || hash === undefined || rest !== undefined) return false;
  const saltBytes = Buffer.from(salt, 'base64');
  return saltBytes.length === SHA1_BYTES && hiddenName(name, saltBytes) === hosts;
}

/** `|1|salt|HMAC-SHA1(salt, name)`, what HashKnownHosts writes. */
export function hiddenName(name: string, salt: Buffer = randomBytes(SHA1_BYTES)): string {
  const hash = createHmac('sha1', salt).update(bytesFromName(name)).digest('base64');
  return `|1|${salt.toString('base64')}|${hash}`;
}
