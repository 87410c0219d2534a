/** The public API. Re-exports only. */
export {
  type CopyEvent,
  type CopyFailure,
  type CopyOptions,
  type CopyResult,
  copy,
  DEFAULT_RETRY,
  type RetryPolicy,
} from './copy/index.js';
export { ERROR_CODES, type ErrorCode, XferError, type XferErrorOptions } from './errors.js';
export { describeLocation, type Location, parseLocation } from './location.js';
export { bytesFromName, nameFromBytes, printable } from './names.js';
export * as open from './open.js';
export { expandLocation, listen, openSink, openSource } from './open.js';
export type * from './transport.js';
