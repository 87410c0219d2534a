/** One port for many clients: each gets the same file, or each brings one. */
import type { Server } from 'node:net';
import { hostname } from 'node:os';
import { systemCode, XferError } from '../../../errors.js';
import { describeLocation } from '../../../location.js';
import { serversClosed } from '../../../servers-closed.js';
import type { Listener, ListenOptions, Scope } from '../../../transport.js';
import { startListening } from '../listening.js';
import type { TcpAddress, TcpOptions } from '../options.js';
import { type ClientResult, Clients } from './clients.js';

export type { ClientResult } from './clients.js';

export interface TcpListenOptions extends ListenOptions, TcpOptions {
  /** Of a unix socket, in place of `hosts` and `port`. */
  readonly path?: string;
  /** For all clients together. */
  readonly limitBytesPerSecond?: number;
  /** Tell the SHA-256 of what passed. */
  readonly digests?: boolean;
  /** Called when a client is done with, whichever way. */
  readonly onClient?: (result: ClientResult) => void;
}

/**
 * Gives `share`, which is one file, to each client, or takes a file from each into the directory `receive`. Both work for up
 * to 100 clients at once, or for one after the other where `receive` takes one file at a time; more are turned away.
 * Rejects as `startListening` does, and with USAGE where it is not one of the two.
 */
export async function listen(options: TcpListenOptions, { signal }: Scope): Promise<Listener> {
  if ((options.share === undefined) === (options.receive === undefined)) {
    throw new XferError('USAGE', 'listen for plain TCP: it either gives a file or takes files');
  }
  const clients = new Clients(options);
  const bound: TcpAddress[] = [];
  const servers: Server[] = [];
  const onListening = (address: TcpAddress): void => {
    bound.push(address);
    options.onListening?.(address);
  };
  try {
    for (const asked of placesOf(options)) {
      const place = { ...asked, port: asked.port || (bound[0]?.port ?? 0) };
      const label = describeLocation({ scheme: 'tcp', path: '', ...place });
      const take = clients.take.bind(clients);
      servers.push(await startListening(place, label, { ...options, onListening }, take));
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return new TcpListener(servers, bound, clients, signal);
}

function placesOf({ hosts, port, path }: TcpListenOptions): TcpAddress[] {
  if (path !== undefined) return [{ host: '', port: 0, path }];
  const wanted = hosts && hosts.length > 0 ? hosts : [''];
  return wanted.map((host) => ({ host, port }));
}

function isWildcard(host: string): boolean {
  return host === '::' || host === '0.0.0.0';
}

class TcpListener implements Listener {
  readonly address: TcpAddress;
  readonly urls: readonly string[];
  readonly closed: Promise<void>;
  readonly #servers: readonly Server[];
  readonly #clients: Clients;

  constructor(servers: readonly Server[], bound: readonly TcpAddress[], clients: Clients, signal: AbortSignal) {
    this.#servers = servers;
    this.#clients = clients;
    this.address = bound[0] as TcpAddress;
    this.urls = bound.map(({ host, port, path }) => {
      if (path !== undefined) return describeLocation({ scheme: 'tcp', path });
      return describeLocation({ scheme: 'tcp', host: isWildcard(host) ? hostname() : host, port, path: '' });
    });
    this.closed = serversClosed(
      servers,
      signal,
      () => void this.close(),
      () => clients.drained(),
    );
  }

  async close({ graceMs = 0 }: { graceMs?: number } = {}): Promise<void> {
    for (const server of this.#servers) {
      server.close((error) => {
        // It was closed before.
        if (error && systemCode(error) !== 'ERR_SERVER_NOT_RUNNING') this.#clients.cut();
      });
    }
    await this.#clients.close(graceMs);
    await this.closed;
  }
}
