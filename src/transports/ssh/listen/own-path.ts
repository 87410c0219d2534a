/** The one path of what clients reach by several, so that all of them mean the same upload. */
import { sep } from 'node:path';
import { joinPath, lastPart, parentPath } from '../../../names.js';
import type { Folder } from './folder.js';

/**
 * The path of what is there without links in it, or as it is where it leads to nothing inside of what is shared: whoever uses
 * it is told why.
 */
export async function followedPath({ share, scope }: Pick<Folder, 'share' | 'scope'>, path: string): Promise<string> {
  if (path === '' || !share.place) return path;
  try {
    const { path: real, root } = await share.place(path, scope);
    return joinPath(...real.slice(root.length).split(sep));
  } catch {
    return path;
  }
}

/** The path of a name, links before it followed; it may be a link itself, or not be there. */
export async function ownPath(folder: Folder, path: string): Promise<string> {
  return joinPath(await followedPath(folder, parentPath(path)), lastPart(path));
}
