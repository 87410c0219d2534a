/** The path of a request -> the script that it names, and what it says after that (RFC 3875, 3.2 and 4.1.5). */
import { isText, joinPath } from '../../../../names.js';
import type { Entry, Scope } from '../../../../transport.js';
import type { SharedSource } from '../sharing.js';
import { isShown, type TargetPolicy } from '../target.js';

export interface ScriptPath {
  /** Below the root. */
  readonly path: string;
  /** The rest of the request's path, from its `/` on; empty where there is none. */
  readonly pathInfo: string;
  /** The script itself. */
  readonly entry: Entry;
}

interface Asked {
  readonly path: string;
  readonly directory: boolean;
}

/** Which of `directories` the path lies in, or is. */
export function directoryOf(path: string, directories: readonly string[]): string | undefined {
  return directories.find((each) => path === each || path.startsWith(`${each}/`));
}

/**
 * The first file on the way down from `base`, a directory of scripts. 404 where nothing has the name, 403 for a directory.
 * What the policy hides is no script.
 */
export async function findScript(
  { path, directory }: Asked,
  base: string,
  share: SharedSource,
  policy: TargetPolicy,
  scope: Scope,
): Promise<ScriptPath | 403 | 404> {
  const parts = path === base ? [] : path.slice(base.length + 1).split('/');
  let at = base;
  for (const [index, part] of parts.entries()) {
    if (!isShown(part, false, policy)) return 404;
    at = joinPath(at, part);
    const entry = await share.stat(at, scope);
    if (!entry) return 404;
    if (entry.kind !== 'file') continue;
    const rest = parts.slice(index + 1).map((each) => `/${each}`);
    const pathInfo = rest.join('') + (directory ? '/' : '');
    return isText(at + pathInfo) ? { path: at, pathInfo, entry } : 404;
  }
  return 403;
}
