/** Keys from files. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import ssh2, { type ParsedKey } from 'ssh2';
import { readUpTo } from '../../../files/named-file.js';
import { bytesFromName, printable } from '../../../names.js';
import type { Prompt, Scope } from '../../../transport.js';
import { SYSTEM_SSH_HINT } from '../carriers/connection-error.js';
import { publicHalf } from './public-half.js';
import type { Secrets } from './secrets.js';

export interface IdentityRequest {
  readonly file: string;
  /** Absent where nobody may be asked. */
  readonly prompt?: Prompt | undefined;
  readonly onNotice?: ((line: string) => void) | undefined;
  readonly passphraseTries: number;
  readonly secrets?: Secrets | undefined;
  readonly scope: Scope;
  readonly platform?: NodeJS.Platform | undefined;
}

/** A key in a file, as far as it can be told without its passphrase. */
export interface Identity {
  readonly file: string;
  /** Absent where only the passphrase shows it. */
  readonly publicKey: ParsedKey | undefined;
  /** Whether the private half is there too: else an agent must have it. */
  readonly hasPrivate: boolean;
  /** The key, whose passphrase is asked for where it has one. Undefined, with a notice, where it is not unlocked. */
  unlock(): Promise<ParsedKey | undefined>;
}

const MAX_KEY_BYTES = 256 * 1024;

/**
 * What a file and the `.pub` beside it hold: OpenSSH's format, PEM, or a public key. Undefined, with a notice where
 * something is there, for what is missing or no key. A private key of one's own that others can read is not used, as ssh does it.
 */
export async function readIdentity(request: IdentityRequest): Promise<Identity | undefined> {
  const { file, onNotice } = request;
  const notice = (reason: string) => onNotice?.(printable(`key ${file}: ${reason}`));
  const [bytes, beside] = await Promise.all([readKeyFile(request, notice), readSmall(`${file}.pub`)]);
  const besideKey = beside && publicHalf(beside.bytes);
  if (!bytes) return besideKey && identity(request, besideKey);
  const key = first(ssh2.utils.parseKey(bytes));
  if (!(key instanceof Error)) return identity(request, key, key.isPrivateKey() ? async () => key : undefined);
  const publicKey = publicHalf(bytes) ?? besideKey;
  if (/passphrase/i.test(key.message)) {
    const unlocked = once(() => unlock(request, bytes, notice));
    return identity(request, publicKey, unlocked);
  }
  const isKey = /^-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(bytes.toString('latin1'));
  notice(isKey ? `a kind of key that cannot be used here; ${SYSTEM_SSH_HINT}` : 'not a private key');
  return undefined;
}

function identity(
  { file }: IdentityRequest,
  publicKey: ParsedKey | undefined,
  unlockIt?: () => Promise<ParsedKey | undefined>,
): Identity {
  return {
    file,
    publicKey,
    hasPrivate: unlockIt !== undefined,
    unlock: unlockIt ?? (async () => undefined),
  };
}

/** Asked for once, however often the key is needed. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

async function readKeyFile(
  { file, platform = process.platform }: IdentityRequest,
  notice: (reason: string) => void,
): Promise<Buffer | undefined> {
  const read = await readSmall(file, () => notice('too large for a key'));
  if (!read || platform === 'win32' || publicHalf(read.bytes, 'only')) return read?.bytes;
  const { mode, own } = read;
  // As OpenSSH (authfile.c, sshkey_perm_ok): who else's key it is, is that person's own affair.
  if (!own || (mode & 0o077) === 0) return read.bytes;
  notice(`others can read it (mode ${(mode & 0o777).toString(8)}), so it is not used; chmod 600 it`);
  return undefined;
}

interface KeyFile {
  readonly bytes: Buffer;
  /** As `st_mode` has it. */
  readonly mode: number;
  /** It belongs to who runs this. */
  readonly own: boolean;
}

/** As ssh: a key that is not there is passed over. What is said of the file and what is read are of one open file. */
async function readSmall(file: string, onTooLarge?: () => void): Promise<KeyFile | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(bytesFromName(file), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await handle.stat();
    if (!stats.isFile()) return undefined;
    const bytes = await readUpTo(handle, MAX_KEY_BYTES);
    if (!bytes) {
      onTooLarge?.();
      return undefined;
    }
    return { bytes, mode: stats.mode, own: stats.uid === process.getuid?.() };
  } catch {
    // Missing, or not to be read: it is no key of ours.
    return undefined;
  } finally {
    await handle?.close();
  }
}

async function unlock(
  { file, prompt, passphraseTries, scope, secrets }: IdentityRequest,
  bytes: Buffer,
  notice: (reason: string) => void,
): Promise<ParsedKey | undefined> {
  const name = `passphrase of ${file}`;
  const known = secrets?.get(name);
  const opened = known === undefined ? undefined : first(ssh2.utils.parseKey(bytes, known));
  if (opened && !(opened instanceof Error)) return opened;
  if (!prompt) {
    notice('it has a passphrase, and nobody can be asked');
    return undefined;
  }
  for (let tries = 0; tries < passphraseTries; tries++) {
    const passphrase = await prompt.secret(printable(`Enter passphrase for key '${file}': `), scope);
    if (!passphrase) {
      notice('it has a passphrase, and none was given');
      return undefined;
    }
    const key = first(ssh2.utils.parseKey(bytes, passphrase));
    if (key instanceof Error) continue;
    secrets?.keep(name, passphrase);
    return key;
  }
  notice('the passphrase is wrong');
  return undefined;
}

/** The parser gives a list for some formats, which its types leave out. */
function first(parsed: ParsedKey | Error | ParsedKey[]): ParsedKey | Error {
  return Array.isArray(parsed) ? (parsed[0] ?? new Error('no key')) : parsed;
}
