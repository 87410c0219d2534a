/** The bytes that a draft is given: in order, and as many as were announced. */
import { XferError } from '../../../errors.js';
import { describeUrl } from '../client/describe-url.js';

/** UNSUPPORTED where what comes next is not what follows the `given` bytes. */
export function checkNext(url: URL, given: number, start: number): void {
  if (start === given) return;
  throw new XferError('UNSUPPORTED', `put ${describeUrl(url)}: bytes in the middle cannot be written`);
}

/** SOURCE_CHANGED where more bytes come than the file has; it may be of no known size. */
export function checkRoom(url: URL, given: number, size: number | undefined): void {
  if (size === undefined || given <= size) return;
  throw new XferError('SOURCE_CHANGED', `put ${describeUrl(url)}: more than ${size} bytes came`);
}

/** TRUNCATED where it was given other than so many bytes. */
export function checkWhole(url: URL, given: number, size: number): void {
  if (given === size) return;
  throw new XferError('TRUNCATED', `put ${describeUrl(url)}: ${given} of ${size} bytes were given`);
}
