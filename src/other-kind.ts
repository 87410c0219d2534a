/** What a walk comes upon that is neither a file, a directory nor a link: a named pipe, a socket, a device. */
import { XferError } from './errors.js';

class OtherKind extends Error {}

/** Why it is left out of a copy. */
export const NOT_A_FILE = 'not a regular file';

/** The error of such a thing: UNSUPPORTED. */
export function otherKind(path: string): XferError {
  return new XferError('UNSUPPORTED', `read ${path}: ${NOT_A_FILE}`, { cause: new OtherKind(NOT_A_FILE) });
}

export function isOtherKind(error: Error): boolean {
  return error.cause instanceof OtherKind;
}
