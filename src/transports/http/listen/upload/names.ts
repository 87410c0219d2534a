/** Names that are taken from those who upload: the same that can be asked for afterwards. */
import { joinPath } from '../../../../names.js';
import type { Sharing } from '../sharing.js';
import { encodeName, parseTarget } from '../target.js';
import { Refusal, refusals } from './refusal.js';

/** The path that a request is about, and whether it ended with `/`. A Refusal for a name that is not taken. */
export function targetPath(url: string | undefined, sharing: Sharing): { path: string; directory: boolean } {
  const target = parseTarget(url ?? '', sharing);
  if (target === 400) throw new Refusal(400, 'The address cannot be read.', {}, 'PROTOCOL');
  if (target === 404) throw refusals.name();
  return target;
}

/**
 * A single name as a form or a tus client gives it: what follows the last separator, as browsers cut it themselves, and
 * held to the rules for the path of a request. A Refusal where it is none that is taken.
 */
function givenName(text: string, sharing: Sharing): string {
  const name = text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1);
  if (name === '') throw refusals.noName();
  const { path } = targetPath(`/${encodeName(name)}`, sharing);
  if (path !== name) throw refusals.name();
  return name;
}

/** The folder that is meant by a path, which is there. A Refusal (409) where it is none. */
export async function folderAt(path: string, { share, scope }: Sharing): Promise<string> {
  if ((await share.stat(path, scope))?.kind !== 'directory') throw refusals.noFolder();
  return path;
}

/** A single name in a folder, as its path. */
export function nameIn(folder: string, text: string, sharing: Sharing): string {
  const name = givenName(text, sharing);
  const path = joinPath(folder, name);
  // In a folder other names may be shown than in the root.
  targetPath(`/${path.split('/').map(encodeName).join('/')}`, sharing);
  return path;
}
