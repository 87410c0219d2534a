/** Home directories, for `~` and `~user` in paths. */
import { open } from 'node:fs/promises';
import { XferError } from '../../../errors.js';
import { readAtMost } from '../../../files/named-file.js';
import { nameFromBytes } from '../../../names.js';

export interface HomeFolders {
  /** The person's own. */
  readonly home: string;
  /** Empty where the person has no name on this machine. */
  readonly localUser: string;
  /** Those of other users of this machine, by name; empty where they are not known. */
  readonly others: ReadonlyMap<string, string>;
  /** On Windows a backslash ends a name, too. */
  readonly platform: NodeJS.Platform;
}

const PASSWD_FILE = '/etc/passwd';
const MOST_PASSWD_BYTES = 16 * 1024 * 1024;

/** Name -> home directory, from passwd(5). Empty on Windows, and where the file cannot be read. */
export async function readHomeFolders(
  platform: NodeJS.Platform = process.platform,
  file = PASSWD_FILE,
): Promise<ReadonlyMap<string, string>> {
  const homes = new Map<string, string>();
  if (platform === 'win32') return homes;
  const text = await readText(file).catch(() => '');
  for (const line of text.split('\n')) {
    const [name, , , , , home] = line.split(':');
    if (name && home?.startsWith('/') && !homes.has(name)) homes.set(name, home);
  }
  return homes;
}

async function readText(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    return nameFromBytes(await readAtMost(handle, MOST_PASSWD_BYTES, file));
  } finally {
    await handle.close();
  }
}

/** Replaces `~` and `~name` at the start. USAGE where the home directory of that user is not known here. */
export function expandTilde(path: string, homes: HomeFolders): string {
  const match = (homes.platform === 'win32' ? /^~([^/\\]*)[/\\]*/ : /^~([^/]*)\/*/).exec(path);
  if (!match) return path;
  const name = match[1] as string;
  const home = name === '' || name === homes.localUser ? homes.home : homes.others.get(name);
  if (home === undefined) {
    throw new XferError('USAGE', `path ${path}: the home directory of ${name} is not known`, {
      hint: 'write the whole path',
    });
  }
  return `${home.replace(homes.platform === 'win32' ? /[/\\]$/ : /\/$/, '')}/${path.slice(match[0].length)}`;
}
