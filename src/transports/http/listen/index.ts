/** The HTTP listener: shares a source with browsers and with everything else that speaks HTTP/1.1. */
import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { throwIfAborted, XferError } from '../../../errors.js';
import { type Bound, bind, listenerUrls } from '../../../listen-address.js';
import { serversClosed } from '../../../servers-closed.js';
import type { Listener, Scope } from '../../../transport.js';
import type { Opened } from './cgi/open-cgi.js';
import { type Tally, watchAccess } from './log/access-log.js';
import type { HttpListenOptions } from './options.js';
import { respond } from './respond.js';
import { type SharedSource, type Sharing, sharedSource } from './sharing.js';
import { openSite } from './site/open-site.js';

export { type AccessRecord, formatAccess } from './log/access-log.js';
export type { HttpListenOptions } from './options.js';

const HEADERS_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 15_000;

/** Where programs are run, nobody else is asked in unless somebody says so. */
const LOOPBACK: readonly string[] = ['127.0.0.1'];

/** Bytes that wait for a slow client before its file is read no further. */
const SEND_BUFFER_BYTES = 512 * 1024;

/**
 * Serves `options.share`, which must have `stat`, `list` and `open`, on all addresses or on `options.hosts`. Resolves when
 * it accepts. Rejects with USAGE without a share, UNSUPPORTED for one that cannot be shared or where `receive` is asked
 * for, NOT_FOUND where its root is missing, EXISTS where the port is taken, DENIED where it may not be used. An abort of
 * the scope ends it at once.
 */
export async function listen(options: HttpListenOptions, scope: Scope): Promise<Listener> {
  throwIfAborted(scope.signal);
  const shared = sharedSource(options.share);
  if (options.receive) throw new XferError('UNSUPPORTED', `serve ${shared.label}: uploads are not taken over HTTP`);
  const root = await shared.stat('', scope);
  if (!root) throw new XferError('NOT_FOUND', `serve ${shared.label}: no such file or directory`);
  const scripts = await scriptsOf(shared, options, scope);
  const share = scripts?.share ?? shared;
  const site = await openSite(share, options, scope, options.onNotice);
  const ended = new AbortController();
  // Each open and each listing under way listens to it.
  setMaxListeners(0, ended.signal);
  const sharing: Sharing = {
    share,
    scope: { signal: ended.signal },
    hidden: options.hidden ?? false,
    platform: process.platform,
    ...(site ? { site } : {}),
    ...(scripts ? { cgi: scripts.cgi } : {}),
    ...(root.kind === 'directory' ? {} : { single: share.name }),
  };
  const { hosts = scripts && LOOPBACK, port } = options;
  const bound = await bind(() => makeServer(options, sharing), { hosts, port, example: 'xfer serve .' });
  return new HttpListener(bound, ended, scope);
}

/** Where scripts are run. The package that starts programs is loaded for them alone. */
async function scriptsOf(share: SharedSource, options: HttpListenOptions, scope: Scope): Promise<Opened | undefined> {
  const { cgi, idleTimeoutMs = IDLE_TIMEOUT_MS, onNotice } = options;
  if (!cgi) return undefined;
  const { openCgi } = await import('./cgi/open-cgi.js');
  return openCgi(share, cgi, idleTimeoutMs, scope, onNotice);
}

function makeServer(options: HttpListenOptions, sharing: Sharing): Server {
  const headersTimeout = options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS;
  const idleMs = options.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
  const server = createServer({
    headersTimeout,
    requestTimeout: 0,
    keepAliveTimeout: Math.min(KEEP_ALIVE_MS, idleMs),
    connectionsCheckingInterval: Math.min(Math.max(headersTimeout / 4, 20), 2500),
    highWaterMark: SEND_BUFFER_BYTES,
  });
  // Counts from the last byte that moved either way, so it cuts no transfer that makes progress.
  server.timeout = idleMs;
  const { onRequest } = options;
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const tally: Tally = { bytes: 0 };
    if (onRequest) watchAccess(request, response, tally, onRequest);
    if (!server.listening) response.shouldKeepAlive = false;
    void respond(request, response, sharing, tally);
  };
  server.on('request', take);
  // Nothing that comes with `Expect: 100-continue` is wanted, so it is answered without asking for the body.
  server.on('checkContinue', take);
  return server;
}

class HttpListener implements Listener {
  readonly address: { readonly host: string; readonly port: number };
  readonly urls: readonly string[];
  readonly closed: Promise<void>;
  readonly #servers: readonly Server[];
  readonly #ended: AbortController;

  constructor(bound: Bound<Server>, ended: AbortController, { signal }: Scope) {
    this.#servers = bound.servers;
    this.#ended = ended;
    this.address = { host: bound.hosts[0] as string, port: bound.port };
    this.urls = listenerUrls('http', bound.hosts, bound.port);
    for (const server of bound.servers) endIdle(server);
    this.closed = serversClosed(bound.servers, signal, () => void this.close());
  }

  async close({ graceMs = 0 }: { graceMs?: number } = {}): Promise<void> {
    for (const server of this.#servers) if (server.listening) server.close();
    const timer = setTimeout(() => this.#cut(), graceMs);
    if (graceMs <= 0) this.#cut();
    else for (const server of this.#servers) server.closeIdleConnections();
    await this.closed.catch(() => undefined);
    clearTimeout(timer);
  }

  #cut(): void {
    this.#ended.abort(new XferError('DISCONNECTED', 'serve: the listener was closed'));
    for (const server of this.#servers) server.closeAllConnections();
  }
}

/** A response that ends after `close` leaves its connection idle, and nobody else would end it. */
function endIdle(server: Server): void {
  server.on('request', (_request, response) => {
    response.once('close', () => {
      if (!server.listening) setImmediate(() => server.closeIdleConnections());
    });
  });
}
