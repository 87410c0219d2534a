/** Where a person's own settings of xfer are, and the key by which others know what is served here. */
import { posix, win32 } from 'node:path';
import type { Surroundings } from './surroundings.js';

/**
 * `%APPDATA%\\xfer` on Windows, else `$XDG_CONFIG_HOME/xfer`, else `~/.config/xfer`. A relative XDG_CONFIG_HOME is
 * ignored (XDG Base Directory Specification 0.8, "All paths must be absolute").
 */
export function configDirectory(around: Pick<Surroundings, 'env' | 'platform' | 'homeDirectory'>): string {
  const { env, homeDirectory } = around;
  if (around.platform === 'win32') {
    const roaming = env.APPDATA || win32.join(homeDirectory, 'AppData', 'Roaming');
    return win32.join(roaming, 'xfer');
  }
  const given = env.XDG_CONFIG_HOME;
  const base = given !== undefined && posix.isAbsolute(given) ? given : posix.join(homeDirectory, '.config');
  return posix.join(base, 'xfer');
}
