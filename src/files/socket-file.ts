/** Unix sockets and named pipes: how they are written, and what a dead server left of one. */
import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { systemCode, XferError } from '../errors.js';

/** The path of a unix socket, or the name of a named pipe of Windows, in what was given as an address; undefined for any other. */
export function socketPath(address: string): string | undefined {
  if (address.startsWith('unix:')) return address.slice('unix:'.length);
  return address.includes('/') || /^\\\\[.?]\\pipe\\/i.test(address) ? address : undefined;
}

/** UNSAFE_PATH where a path does not fit the system's `sun_path` (unix(7)): Node 20 would cut it, and bind another. */
export function checkSocketPath(path: string, platform: NodeJS.Platform = process.platform): void {
  const mostBytes = platform === 'linux' ? 107 : platform === 'win32' ? Number.POSITIVE_INFINITY : 103;
  if (Buffer.byteLength(path) <= mostBytes) return;
  throw new XferError('UNSAFE_PATH', `listen on ${path}: too long for a socket`, {
    hint: `take a path of at most ${mostBytes} bytes`,
  });
}

/** Removes a unix socket on which nobody listens any more; false where it is another thing, or somebody does. */
export async function removeStaleSocket(path: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isSocket() || (await connectFailure(path)) !== 'ECONNREFUSED') return false;
    await unlink(path);
    return true;
  } catch (error) {
    // It went away by itself.
    return systemCode(error) === 'ENOENT';
  }
}

/** The system's code of why nobody answers; undefined where somebody does. */
function connectFailure(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error) => resolve(systemCode(error)));
  });
}
