/** Keys that are never taken (ssh_config.5, RevokedHostKeys): a text with one public key on each line. */
import { open } from 'node:fs/promises';
import { toXferError, XferError } from '../../../errors.js';
import { readAtMost } from '../../../files/named-file.js';
import { bytesFromName } from '../../../names.js';
import { SYSTEM_SSH_HINT } from '../carriers/connection-error.js';
import { decodeKey } from './public-key.js';

const MOST_BYTES = 16 * 1024 * 1024;
const KRL_MAGIC = 'SSHKRL\n\0';

/**
 * The line of a file that holds a key, from 1; undefined where none does. DENIED where the file is missing, cannot be read
 * or holds what is no key, so that no key is taken; UNSUPPORTED for a key revocation list of ssh-keygen -k.
 */
export async function revokedLine(file: string, key: Buffer): Promise<number | undefined> {
  const bytes = await readBytes(file);
  if (bytes.toString('latin1', 0, KRL_MAGIC.length) === KRL_MAGIC) {
    throw new XferError('UNSUPPORTED', `revoked host keys ${file}: a key revocation list cannot be read here`, {
      hint: SYSTEM_SSH_HINT,
    });
  }
  for (const [at, text] of bytes.toString('latin1').split('\n').entries()) {
    const [type, base64] = text.split(/[ \t\r]+/).filter((word) => word !== '');
    if (type === undefined || type.startsWith('#')) continue;
    const revoked = base64 === undefined ? undefined : decodeKey(type, base64);
    if (!revoked) throw new XferError('DENIED', `revoked host keys ${file}:${at + 1}: not a public key`);
    if (revoked.equals(key)) return at + 1;
  }
  return undefined;
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    const handle = await open(bytesFromName(file), 'r');
    try {
      return await readAtMost(handle, MOST_BYTES, `revoked host keys ${file}`);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { message } = toXferError(error, `revoked host keys ${file}`);
    throw new XferError('DENIED', `${message}; without it no host key is taken`, { cause: error });
  }
}
