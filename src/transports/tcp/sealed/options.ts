/** What a sealed connection may be told. */
import type { Scope } from '../../../transport.js';
import type { TcpAddress, TcpOptions } from '../options.js';
import type { Greeted } from './call.js';

export interface SealedOptions
  extends Pick<
    TcpOptions,
    'allow' | 'connectTimeoutMs' | 'family' | 'localAddress' | 'localPort' | 'onConnection' | 'onListening' | 'onNotice'
  > {
  /** What both ends know, and nobody else; of `newKey` or `parseKey`. */
  readonly key: Uint8Array;
  /**
   * Finds the end that waits, in place of its address: tries places that it may be at until an attempt succeeds, since
   * that one holds the key, and resolves as it does.
   */
  readonly find?: (attempt: (places: readonly TcpAddress[]) => Promise<Greeted>, scope: Scope) => Promise<Greeted>;
}
