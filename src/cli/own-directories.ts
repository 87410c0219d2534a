/** Where a person's own things of xfer are: settings and the key of its listener, and journals. */
import { posix, win32 } from 'node:path';
import type { Surroundings } from './surroundings.js';

type Around = Pick<Surroundings, 'env' | 'platform' | 'homeDirectory'>;

/** The variable that names a directory, and where that is below the home directory without it. */
interface Place {
  readonly variable: string;
  readonly usual: readonly string[];
}

/**
 * `%APPDATA%\xfer` on Windows, else `$XDG_CONFIG_HOME/xfer`, else `~/.config/xfer`. A relative XDG_CONFIG_HOME is
 * ignored (XDG Base Directory Specification 0.8, "All paths must be absolute").
 */
export function configDirectory(around: Around): string {
  if (around.platform === 'win32') return onWindows(around, { variable: 'APPDATA', usual: ['AppData', 'Roaming'] });
  return onPosix(around, { variable: 'XDG_CONFIG_HOME', usual: ['.config'] });
}

/**
 * `%LOCALAPPDATA%\xfer` on Windows, else `$XDG_STATE_HOME/xfer`, else `~/.local/state/xfer`. A relative
 * XDG_STATE_HOME is ignored (XDG Base Directory Specification 0.8, "All paths must be absolute").
 */
export function stateDirectory(around: Around): string {
  if (around.platform === 'win32') return onWindows(around, { variable: 'LOCALAPPDATA', usual: ['AppData', 'Local'] });
  return onPosix(around, { variable: 'XDG_STATE_HOME', usual: ['.local', 'state'] });
}

function onWindows({ env, homeDirectory }: Around, { variable, usual }: Place): string {
  return win32.join(env[variable] || win32.join(homeDirectory, ...usual), 'xfer');
}

function onPosix({ env, homeDirectory }: Around, { variable, usual }: Place): string {
  const given = env[variable];
  const base = given !== undefined && posix.isAbsolute(given) ? given : posix.join(homeDirectory, ...usual);
  return posix.join(base, 'xfer');
}
