/** known_hosts files (sshd.8, SSH_KNOWN_HOSTS FILE FORMAT): which keys a host is known by. */
import { createHmac, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { posix, win32 } from 'node:path';
import { toXferError, XferError } from '../../errors.js';
import { bytesFromName, nameFromBytes } from '../../names.js';
import { readAtMost } from './config-files.js';
import { matchesHostList } from './patterns.js';

/** Bytes of one known_hosts file at most. */
const MOST_KNOWN_HOSTS_BYTES = 16 * 1024 * 1024;
const MOST_KEY_BYTES = 64 * 1024;
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

/** How known_hosts names a host: `[host]:port` unless the port is 22; in lower case. */
export function knownHostName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === USUAL_PORT ? name : `[${name}]:${port}`;
}

/** Type that a key on the wire states. PROTOCOL where it is no key. */
export function keyTypeOf(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  const type = key.toString('latin1', 4, 4 + Math.min(length, 64));
  if (length < 1 || length > 64 || key.length <= 4 + length || key.length > MOST_KEY_BYTES || /[^!-~]/.test(type)) {
    throw new XferError('PROTOCOL', 'host key: not a key');
  }
  return type;
}

/** The keys of some files, as they were when loaded. */
export class KnownHosts {
  /** Lines left out because they were not right or of no known key type. */
  readonly skippedCount: number;
  /** `@cert-authority` lines, which vouch for nothing here. */
  readonly authorityCount: number;
  readonly #lines: readonly KnownLine[];

  private constructor(lines: readonly KnownLine[], skippedCount: number, authorityCount: number) {
    this.#lines = lines;
    this.skippedCount = skippedCount;
    this.authorityCount = authorityCount;
  }

  /** Reads files; a missing one is empty. DENIED where one is there and cannot be read whole, so that nothing is trusted. */
  static async load(files: readonly string[]): Promise<KnownHosts> {
    const lines: KnownLine[] = [];
    let skippedCount = 0;
    let authorityCount = 0;
    for (const file of files) {
      const written = (await readKnownHosts(file)).split('\n');
      for (const [at, text] of written.entries()) {
        const parsed = parseLine(text, file, at + 1);
        if (parsed === 'skipped') skippedCount++;
        else if (parsed === 'authority') authorityCount++;
        else if (parsed !== 'blank') lines.push(parsed);
      }
    }
    return new KnownHosts(lines, skippedCount, authorityCount);
  }

  /** Lines for exactly this host and port, in the order of the files, revoked ones included. */
  lookup(host: string, port: number): readonly KnownKey[] {
    const name = knownHostName(host, port);
    return this.#lines.filter(({ hosts }) => matchesHosts(name, hosts));
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

function parseLine(text: string, file: string, line: number): KnownLine | 'blank' | 'skipped' | 'authority' {
  const words = text.split(/[ \t\r]+/).filter((word) => word !== '');
  const [first] = words;
  if (first === undefined || first.startsWith('#')) return 'blank';
  const marker = first.startsWith('@') ? words.shift() : undefined;
  if (marker === '@cert-authority') return 'authority';
  if (marker !== undefined && marker !== '@revoked') return 'skipped';
  const [hosts, type, base64] = words;
  if (hosts === undefined || type === undefined || base64 === undefined || !KEY_TYPES.has(type)) return 'skipped';
  const key = decodeKey(type, base64);
  return key ? { hosts, type, key, revoked: marker !== undefined, file, line } : 'skipped';
}

function decodeKey(type: string, base64: string): Buffer | undefined {
  if (base64.length > MOST_KEY_BYTES * 2 || base64.length % 4 !== 0) return undefined;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const key = Buffer.from(base64, 'base64');
  try {
    return keyTypeOf(key) === type ? key : undefined;
  } catch {
    return undefined;
  }
}

const SHA1_BYTES = 20;

function matchesHosts(name: string, hosts: string): boolean {
  if (!hosts.startsWith('|')) return matchesHostList(name, hosts);
  const [, magic, salt, hash, rest] = hosts.split('|', 5);
  if (magic !== '1' || salt === undefined || hash === undefined || rest !== undefined) return false;
  const saltBytes = Buffer.from(salt, 'base64');
  return saltBytes.length === SHA1_BYTES && hashName(name, saltBytes) === hosts;
}

/** `|1|salt|HMAC-SHA1(salt, name)`, what HashKnownHosts writes. */
function hashName(name: string, salt: Buffer): string {
  const hash = createHmac('sha1', salt).update(bytesFromName(name)).digest('base64');
  return `|1|${salt.toString('base64')}|${hash}`;
}

export interface NewKnownHost {
  readonly host: string;
  readonly port: number;
  readonly key: Buffer;
  /** Hide the name, as HashKnownHosts asks. */
  readonly hash: boolean;
}

/**
 * Appends one line in one write; makes the file (0600) and its directory (0700) where they are missing. Nothing is
 * written to /dev/null. USAGE for a name that would not be read back as itself; DENIED, NO_SPACE.
 */
export async function addKnownHost(file: string, { host, port, key, hash }: NewKnownHost): Promise<void> {
  const name = knownHostName(host, port);
  if (host === '' || /[\s,*?!|#@\p{Cc}]/u.test(host)) throw new XferError('USAGE', `host ${host}: not a host name`);
  const hosts = hash ? hashName(name, randomBytes(SHA1_BYTES)) : name;
  const line = `${hosts} ${keyTypeOf(key)} ${key.toString('base64')}\n`;
  if (file === '/dev/null') return;
  let handle: FileHandle | undefined;
  try {
    await makeFolder(file);
    handle = await open(bytesFromName(file), constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
    const bytes = bytesFromName((await endsMidLine(handle)) ? `\n${line}` : line);
    const { bytesWritten } = await handle.write(bytes);
    if (bytesWritten !== bytes.length) throw new XferError('NO_SPACE', `known hosts ${file}: only part was written`);
  } catch (error) {
    throw toXferError(error, `known hosts ${file}`);
  } finally {
    await handle?.close();
  }
}

async function makeFolder(file: string): Promise<void> {
  const folder = (process.platform === 'win32' ? win32 : posix).dirname(file);
  try {
    await mkdir(bytesFromName(folder), { mode: 0o700 });
  } catch (error) {
    if (toXferError(error, '').code !== 'EXISTS') throw error;
  }
}

async function endsMidLine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 1 && buffer[0] !== 0x0a;
}
