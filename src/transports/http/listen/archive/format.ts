/** The forms that a folder can be asked for in. */
import { hasKey, queryValue } from '../target.js';

export type ArchiveFormat = 'zip' | 'tar' | 'tar.gz';

const FORMATS: ReadonlyMap<string, ArchiveFormat> = new Map([
  ['zip', 'zip'],
  ['tar', 'tar'],
  ['tar.gz', 'tar.gz'],
  ['tgz', 'tar.gz'],
]);

/** What `?archive=` asks for: undefined where it does not stand in the query, 400 where it names no form. */
export function archiveFormat(query: string): ArchiveFormat | 400 | undefined {
  if (!hasKey(query, 'archive')) return undefined;
  return FORMATS.get(queryValue(query, 'archive')?.toLowerCase() ?? '') ?? 400;
}
