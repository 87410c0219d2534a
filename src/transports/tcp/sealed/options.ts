/** What a sealed connection may be told. */
import type { TcpOptions } from '../options.js';

export interface SealedOptions
  extends Pick<
    TcpOptions,
    'allow' | 'connectTimeoutMs' | 'family' | 'localAddress' | 'localPort' | 'onConnection' | 'onListening' | 'onNotice'
  > {
  /** What both ends know, and nobody else; of `newKey` or `parseKey`. */
  readonly key: Uint8Array;
}
