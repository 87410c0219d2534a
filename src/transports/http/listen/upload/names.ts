/** Names that are taken from those who upload: the same that can be asked for afterwards. */
import { joinPath } from '../../../../names.js';
import type { Sharing } from '../sharing.js';
import { decodePart, encodeName, parseTarget } from '../target.js';
import { Refusal, refusals } from './refusal.js';

/** The path that a request is about, and whether it ended with `/`. A Refusal for a name that is not taken. */
export function targetPath(url: string | undefined, sharing: Sharing): { path: string; directory: boolean } {
  const target = parseTarget(url ?? '', sharing);
  if (target === 400) throw new Refusal(400, 'The address cannot be read.', {}, 'PROTOCOL');
  if (target === 404) throw refusals.name();
  return target;
}

/** The folder that is meant by a path, which is there. A Refusal (409) where it is none. */
export async function folderAt(path: string, { share, scope }: Sharing): Promise<string> {
  if ((await share.stat(path, scope))?.kind !== 'directory') throw refusals.noFolder();
  return path;
}

/**
 * A name that a file comes with from elsewhere, as its path in a folder: what follows the last separator, as browsers cut
 * it themselves. A Refusal where it is none that is taken.
 */
export function nameIn(folder: string, text: string, sharing: Sharing): string {
  const cut = Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1;
  return exactNameIn(folder, text.slice(cut), sharing);
}

/** A single name in a folder, as its path, held to the rules for the path of a request. A Refusal where it is none. */
export function exactNameIn(folder: string, name: string, sharing: Sharing): string {
  if (name === '') throw refusals.noName();
  if (targetPath(`/${encodeName(name)}`, sharing).path !== name) throw refusals.name();
  const path = joinPath(folder, name);
  // In a folder other names may be shown than in the root.
  targetPath(`/${path.split('/').map(encodeName).join('/')}`, sharing);
  return path;
}

/** The same for a name as a link has it, percent-encoded: so any name can be given, and not only text. */
export function linkedNameIn(folder: string, encoded: string, sharing: Sharing): string {
  const name = /^[\x21-\x7e]*$/.test(encoded) ? decodePart(encoded) : undefined;
  if (name === undefined) throw refusals.malformed('The name');
  return exactNameIn(folder, name, sharing);
}
