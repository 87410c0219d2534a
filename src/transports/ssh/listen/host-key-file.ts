/** The key by which clients know this listener: made once, kept from then on. */

import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import ssh2, { type ParsedKey } from 'ssh2';
import { systemCode, toXferError, XferError } from '../../../errors.js';
import { describeKey } from '../host-keys/public-key.js';

export interface ServedHostKey {
  /** In OpenSSH's form; a secret. */
  readonly privateKey: string;
  /** `ED25519 SHA256:…`, as a person compares it. */
  readonly description: string;
}

const MOST_BYTES = 64 * 1024;

/** Of a thousand Ed25519 keys that ssh2 makes, three or four cannot be read back. */
const TRIES = 16;

/** A new Ed25519 key, checked by a signature. INTERNAL where none can be made. */
export function makeHostKey(): ServedHostKey {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const key = hostKeyFrom(ssh2.utils.generateKeyPairSync('ed25519', { comment: 'xfer' }).private);
    if (key) return key;
  }
  return fail('INTERNAL', 'host key: it could not be made');
}

/**
 * The key in `file`, which is made where nothing is there, with its directory: by one of several processes that start at
 * once, for all of them. CORRUPT where the file holds no key, DENIED where others may read it or it cannot be written.
 */
export async function loadHostKey(file: string, platform = process.platform): Promise<ServedHostKey> {
  try {
    return (await readHostKey(file, platform)) ?? (await keepHostKey(file, makeHostKey(), platform));
  } catch (error) {
    throw toXferError(error, `host key ${file}`);
  }
}

async function readHostKey(file: string, platform: NodeJS.Platform): Promise<ServedHostKey | undefined> {
  try {
    const { mode, size } = await stat(file);
    const hint = `remove it, or make it private: chmod 600 '${file}'`;
    if (platform !== 'win32' && mode & 0o077) fail('DENIED', `host key ${file}: others may read it`, hint);
    const key = size <= MOST_BYTES ? hostKeyFrom(await readFile(file, 'utf8')) : undefined;
    return key ?? fail('CORRUPT', `host key ${file}: not a private key`, 'remove it, and a new one is made');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Written whole beside its name, and linked to it where no other process was faster. */
async function keepHostKey(file: string, key: ServedHostKey, platform: NodeJS.Platform): Promise<ServedHostKey> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(key.privateKey);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return await nameHostKey(temporary, file, key, platform);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function nameHostKey(temporary: string, file: string, key: ServedHostKey, platform: NodeJS.Platform) {
  try {
    await link(temporary, file);
  } catch (error) {
    const theirs = await readHostKey(file, platform);
    if (theirs) return theirs;
    // A file system without hard links.
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes(systemCode(error) ?? '')) throw error;
    await rename(temporary, file);
  }
  return key;
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

function fail(code: 'INTERNAL' | 'DENIED' | 'CORRUPT', message: string, hint?: string): never {
  throw new XferError(code, message, { hint });
}
