/** Where xfer keeps what must outlive one run: the journals that a resume reads. */
import { posix, win32 } from 'node:path';
import type { Surroundings } from './surroundings.js';

/**
 * `%LOCALAPPDATA%\xfer` on Windows, else `$XDG_STATE_HOME/xfer`, else `~/.local/state/xfer`. A relative
 * XDG_STATE_HOME is ignored (XDG Base Directory Specification 0.8, "All paths must be absolute").
 */
export function stateDirectory(around: Pick<Surroundings, 'env' | 'platform' | 'homeDirectory'>): string {
  const { env, homeDirectory } = around;
  if (around.platform === 'win32') {
    const local = env.LOCALAPPDATA || win32.join(homeDirectory, 'AppData', 'Local');
    return win32.join(local, 'xfer');
  }
  const given = env.XDG_STATE_HOME;
  const base = given !== undefined && posix.isAbsolute(given) ? given : posix.join(homeDirectory, '.local', 'state');
  return posix.join(base, 'xfer');
}
