/** Where the paths of a copy are below the URL that a person named. */
import { XferError } from '../../../errors.js';
import { bytesFromName, nameFromBytes, parentPath, pathParts } from '../../../names.js';
import { percentBytes } from '../content-disposition.js';
import { percentEncoded } from '../percent-encoded.js';

/** The URL of a path; `asFolder`: with a slash at its end. UNSAFE_PATH where a part is empty, `.`, `..` or holds NUL. */
export function urlBelow(base: URL, path: string, asFolder = false): URL {
  const parts = pathParts(path);
  if (!parts) throw new XferError('UNSAFE_PATH', `path ${path}: leaves its directory`);
  const url = new URL(base);
  if (parts.length > 0) url.pathname = `${url.pathname.replace(/\/$/, '')}/${parts.map(encodePart).join('/')}`;
  if (asFolder && !url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** The folder that a path lies in, with a slash at its end. */
export function folderOf(base: URL, path: string): URL {
  return path === '' ? new URL(`./${base.search}`, base) : urlBelow(base, parentPath(path), true);
}

/** What a URL itself is called; empty where it ends with a slash. */
export function rootName(base: URL): string {
  return nameFromBytes(percentBytes(base.pathname.slice(base.pathname.lastIndexOf('/') + 1)));
}

/** The bytes of a name as they stand in a URL. */
function encodePart(name: string): string {
  if (/^[A-Za-z0-9._~-]*$/.test(name)) return name;
  let text = '';
  for (const byte of bytesFromName(name)) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9._~-]/.test(character) ? character : percentEncoded(byte);
  }
  return text;
}
