/** Whether what a client is told can be done. */
import { COUNT, COUNT_OR_NONE, checkKinds, type Kinds, TEXT, TEXTS } from '../../option-rules.js';
import type { HttpOptions } from './index.js';

const KINDS: Kinds<HttpOptions> = {
  maxRedirects: COUNT_OR_NONE,
  userAgent: TEXT,
  pins: TEXTS,
  ca: TEXTS,
  chunkBytes: COUNT,
  uploadNotesDirectory: TEXT,
};

/** USAGE for the first option that is there and cannot be followed. Times and fields are looked at where they are used. */
export function checkHttpOptions(options: HttpOptions): void {
  checkKinds('http', options, KINDS);
}
