/** One port for many clients: each gets the same file, or each brings one. */
import type { Server } from 'node:net';
import { systemCode, XferError } from '../../../errors.js';
import { socketPath } from '../../../files/socket-file.js';
import type { Listener, ListenOptions } from '../../../listener.js';
import { listenerUrls } from '../../../listening/listener-urls.js';
import { serversClosed } from '../../../listening/servers-closed.js';
import { describeLocation } from '../../../location.js';
import { checkKinds, type Kinds, TEXTS } from '../../../option-rules.js';
import type { Scope } from '../../../transport.js';
import { startListening } from '../listening.js';
import type { TcpAddress, TcpOptions } from '../options.js';
import { type ClientResult, Clients } from './clients.js';

export type { ClientResult } from './clients.js';

export interface TcpListenOptions extends ListenOptions, TcpOptions {
  /** For all clients together. */
  readonly limitBytesPerSecond?: number;
  /** Tell the SHA-256 of what passed. */
  readonly digests?: boolean;
  /** Called when a client is done with, whichever way. */
  readonly onClient?: (result: ClientResult) => void;
}

const KINDS: Kinds<TcpListenOptions> = { hosts: TEXTS };

/**
 * Gives `share`, which is one file, to each client, or takes a file from each into the directory `receive`. Both work for up
 * to 100 clients at once, or for one after the other where `receive` takes one file at a time; more are turned
 * away, unless one of them has brought nothing yet, which then goes. Rejects as `startListening` does, with USAGE where it is not one of the two, and with UNSUPPORTED for sockets handed down.
 */
export async function listen(options: TcpListenOptions, { signal }: Scope): Promise<Listener> {
  if ((options.share === undefined) === (options.receive === undefined)) {
    throw new XferError('USAGE', 'listen for plain TCP: it either gives a file or takes files');
  }
  if (options.descriptors && options.descriptors.length > 0) {
    throw new XferError('UNSUPPORTED', 'listen for plain TCP: not on a socket that was handed down');
  }
  checkKinds('listen for plain TCP', options, KINDS);
  const clients = new Clients(options);
  const bound: TcpAddress[] = [];
  const servers: Server[] = [];
  const onListening = (address: TcpAddress): void => {
    bound.push(address);
    options.onListening?.(address);
  };
  try {
    for (const asked of placesOf(options)) {
      // A free port that the first host got is that of all.
      const place = asked.path === undefined && bound[0]?.port ? { ...asked, port: bound[0].port } : asked;
      const take = clients.take.bind(clients);
      servers.push(await startListening(place, labelOf(place), { ...options, onListening }, take));
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return new TcpListener(servers, bound, clients, signal);
}

function placesOf({ hosts, port }: TcpListenOptions): TcpAddress[] {
  const wanted = hosts && hosts.length > 0 ? hosts : [''];
  return wanted.map((host) => {
    const path = socketPath(host);
    return path === undefined ? { host, port } : { host: '', port: 0, path };
  });
}

function labelOf({ host, port, path }: TcpAddress): string {
  return describeLocation(path === undefined ? { scheme: 'tcp', host, port, path: '' } : { scheme: 'tcp', path });
}

class TcpListener implements Listener {
  readonly address: { readonly host: string; readonly port: number };
  readonly sockets: readonly string[];
  readonly urls: readonly string[];
  readonly closed: Promise<void>;
  readonly #servers: readonly Server[];
  readonly #clients: Clients;

  constructor(servers: readonly Server[], bound: readonly TcpAddress[], clients: Clients, signal: AbortSignal) {
    this.#servers = servers;
    this.#clients = clients;
    const addresses = bound.filter(({ path }) => path === undefined);
    this.sockets = bound.flatMap(({ path }) => (path === undefined ? [] : [path]));
    this.address = addresses[0] ?? { host: this.sockets[0] as string, port: 0 };
    this.urls = listenerUrls('tcp', addresses);
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
