/** Writes a new host into a known_hosts file (sshd.8, SSH_KNOWN_HOSTS FILE FORMAT). */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { posix, win32 } from 'node:path';
import { toXferError, XferError } from '../../../errors.js';
import { bytesFromName } from '../../../names.js';
import { hiddenName, knownHostName } from './known-hosts.js';
import { keyTypeOf } from './public-key.js';

export interface NewKnownHost {
  /** Known by the same key: a name, its address, or both. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly key: Buffer;
  /** Hide the names, as HashKnownHosts asks. */
  readonly hash: boolean;
}

/**
 * Appends the names on one line or, hidden, each on its own, in one write; makes the file (0600) and its directory (0700)
 * where they are missing. Nothing is written to /dev/null. USAGE for a name that would not be read back as itself; DENIED,
 * NO_SPACE.
 */
export async function addKnownHost(file: string, { hosts, key, hash }: NewKnownHost): Promise<void> {
  const names = hosts.map(({ host, port }) => {
    if (host !== '' && !/[\s,*?!|#@\p{Cc}]/u.test(host)) return knownHostName(host, port);
    throw new XferError('USAGE', `host ${host}: not a host name`);
  });
  const written = hash ? names.map((name) => hiddenName(name)) : [names.join()];
  const lines = written.map((name) => `${name} ${keyTypeOf(key)} ${key.toString('base64')}\n`).join('');
  if (file === '/dev/null') return;
  let handle: FileHandle | undefined;
  try {
    await makeFolder(file);
    handle = await open(bytesFromName(file), constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
    const bytes = bytesFromName((await endsMidLine(handle)) ? `\n${lines}` : lines);
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
