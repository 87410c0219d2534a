/** Raw TCP: the bytes of one file on one connection, as nc, ncat, socat and /dev/tcp send and take them. */

import type { Listener, ListenOptions } from '../../listener.js';
import type { Location } from '../../location.js';
import type { Scope, Sink, Source, Transport } from '../../transport.js';
import type { TcpOptions } from './options.js';
import { openWire } from './raw.js';
import type { SealedSendOptions } from './sealed/open.js';
import { RawSink } from './sink.js';
import { RawSource } from './source.js';

export type { Passed, TcpAddress, TcpOptions } from './options.js';

/** With `sealed` to a receiver that holds the same key, else to whoever is there. */
export interface TcpSinkOptions extends TcpOptions {
  readonly sealed?: SealedSendOptions;
}

export const transport: Transport = {
  scheme: 'tcp',
  aliases: [],
  summary: 'the bytes of one file over a plain TCP connection, to and from nc, ncat, socat or xfer',

  /** Connects, or waits for the one connection, and gives what it brings. UNREACHABLE, EXISTS, DENIED, USAGE. */
  async openSource(location: Location, options: TcpOptions, scope: Scope): Promise<Source> {
    return new RawSource(await openWire(location, options, scope), options);
  },

  /**
   * Connects, or waits for the one connection, to send over it. UNREACHABLE, EXISTS, DENIED, USAGE. With `sealed` as
   * `openSealed` does.
   */
  async openSink(location: Location, options: TcpSinkOptions, scope: Scope): Promise<Sink> {
    if (options.sealed) {
      const { openSealed } = await import('./sealed/open.js');
      return openSealed(location, options.sealed, scope);
    }
    return new RawSink(await openWire(location, options, scope), options);
  },

  /** One file to each client, or one from each. EXISTS, DENIED, UNREACHABLE, USAGE. */
  async listen(options: ListenOptions, scope: Scope): Promise<Listener> {
    const { listen } = await import('./listen/index.js');
    return listen(options, scope);
  },
};
