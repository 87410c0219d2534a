/** Paths on the server, as bytes, and what a person means by them. */
import { XferError } from '../../errors.js';
import { bytesFromName, nameFromBytes, pathParts } from '../../names.js';
import type { Scope } from '../../transport.js';
import type { SftpClient } from './sftp/client.js';

/**
 * The root that a person typed: relative to the login directory, `~` and `~/x` being the same, `~user/x` by the server's
 * expand-path@openssh.com (UNSUPPORTED where it lacks that).
 */
export async function resolveRoot(client: SftpClient, typed: string, scope: Scope): Promise<string> {
  if (typed === '' || typed === '~' || typed === '~/') return '.';
  if (typed.startsWith('~/')) return typed.slice(2).replace(/^\/+/, '') || '.';
  if (!typed.startsWith('~')) return typed;
  // The server is asked for the home alone, so that it cannot choose another name for what was typed after it.
  const end = `${typed}/`.indexOf('/');
  const home = nameFromBytes(await client.expandPath(bytesFromName(typed.slice(0, end)), scope));
  const rest = typed.slice(end).replace(/^\/+/, '');
  return rest === '' ? home : `${home.replace(/\/+$/, '')}/${rest}`;
}

/** The bytes of a path below a root. UNSAFE_PATH where a part is empty, `.`, `..` or holds NUL. */
export function below(root: string, path: string): Buffer {
  if (!pathParts(path)) throw new XferError('UNSAFE_PATH', `path ${path}: leaves its directory`);
  if (path === '') return bytesFromName(root);
  if (root === '.') return bytesFromName(path);
  return bytesFromName(root.endsWith('/') ? root + path : `${root}/${path}`);
}

/** Directory and last part of a path: `['.', 'x']` for `x`. */
export function splitPath(path: Buffer): { directory: Buffer; name: Buffer } {
  const end = trimmedLength(path);
  const slash = path.lastIndexOf(0x2f, end - 1);
  const name = path.subarray(slash + 1, end);
  if (slash < 0) return { directory: Buffer.from('.'), name };
  return { directory: path.subarray(0, Math.max(slash, 1)), name };
}

function trimmedLength(path: Buffer): number {
  let end = path.length;
  while (end > 1 && path[end - 1] === 0x2f) end--;
  return end;
}

export function joinBytes(directory: Buffer, name: Buffer): Buffer {
  if (directory.equals(Buffer.from('.'))) return name;
  const slash = directory.at(-1) === 0x2f ? '' : '/';
  return Buffer.concat([directory, Buffer.from(slash), name]);
}

/** Whether a name from the server may be one part of a path (OpenSSH's "suspect path"). */
export function isSafeName(name: Buffer): boolean {
  return name.length > 0 && name.length <= 4096 && !name.includes(0x2f) && !name.includes(0);
}
