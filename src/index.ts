/** The public API. Re-exports only. */
export {
  type CopyEvent,
  type CopyFailure,
  type CopyOptions,
  type CopyResult,
  copy,
  DEFAULT_RETRY,
  Limiter,
  type RetryPolicy,
} from './copy/index.js';
export { ERROR_CODES, type ErrorCode, XferError, type XferErrorOptions } from './errors.js';
export { describeLocation, type Location, parseLocation } from './location.js';
export { bytesFromName, nameFromBytes, printable } from './names.js';
export * as open from './open.js';
export {
  expandLocation,
  type ListenOptionsByScheme,
  type LocationOptions,
  listen,
  openSink,
  openSource,
} from './open.js';
export type * from './transport.js';
export type { HttpOptions } from './transports/http/index.js';
export type { HttpListenOptions } from './transports/http/listen/options.js';
export { dropMemoryTree } from './transports/memory/named-trees.js';
export type { SshListenOptions } from './transports/ssh/listen/index.js';
export type { SshOptions } from './transports/ssh/ssh-options.js';
export type { TcpOptions, TcpSinkOptions } from './transports/tcp/index.js';
export type { TcpListenOptions } from './transports/tcp/listen/index.js';
