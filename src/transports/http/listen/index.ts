/** The HTTP listener: shares a source with browsers and with everything else that speaks HTTP/1.1. */
import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { throwIfAborted, XferError } from '../../../errors.js';
import { type Bound, bind, listenerUrls } from '../../../listen-address.js';
import { serversClosed } from '../../../servers-closed.js';
import type { Listener, Scope } from '../../../transport.js';
import { Gate } from './access/gate.js';
import { watchIdle } from './idle-connections.js';
import { type AccessRecord, type Tally, watchAccess } from './log/access-log.js';
import type { HttpListenOptions } from './options.js';
import { respond } from './respond.js';
import { type Sharing, sharedSource } from './sharing.js';

export { type AccessRecord, formatAccess } from './log/access-log.js';
export type { HttpListenOptions } from './options.js';

const HEADERS_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 15_000;

/** Bytes that wait for a slow client before its file is read no further. */
const SEND_BUFFER_BYTES = 512 * 1024;

/**
 * Serves `options.share`, which must have `stat`, `list` and `open`, on all addresses or on `options.hosts`. Resolves when
 * it accepts. Rejects with USAGE without a share, UNSUPPORTED for one that cannot be shared or where `receive` is asked
 * for or an option is not right, NOT_FOUND where its root is missing, EXISTS where the port is taken, DENIED where it may not be used. An abort of
 * the scope ends it at once.
 */
export async function listen(options: HttpListenOptions, scope: Scope): Promise<Listener> {
  throwIfAborted(scope.signal);
  const share = sharedSource(options.share);
  if (options.receive) throw new XferError('UNSUPPORTED', `serve ${share.label}: uploads are not taken over HTTP`);
  const gate = new Gate(options, options.hosts);
  const root = await share.stat('', scope);
  if (!root) throw new XferError('NOT_FOUND', `serve ${share.label}: no such file or directory`);
  const ended = new AbortController();
  // Each open and each listing under way listens to it.
  setMaxListeners(0, ended.signal);
  const sharing: Sharing = {
    share,
    scope: { signal: ended.signal },
    gate,
    hidden: options.hidden ?? false,
    platform: process.platform,
    ...(root.kind === 'directory' ? {} : { single: share.name }),
  };
  const { hosts, port } = options;
  const bound = await bind(() => makeServer(options, sharing), { hosts, port, example: 'xfer serve .' });
  const listener = new HttpListener(bound, ended, scope, gate.prefix.below);
  void gate.lifetime.over.then((reason) => {
    options.onNotice?.(`serve: ${reason}, so it ends`);
    listener.finish();
  });
  void listener.closed.finally(() => gate.close()).catch(() => undefined);
  return listener;
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
  const { gate } = sharing;
  // At once, so that nothing is read from them.
  server.on('connection', (socket) => {
    if (!gate.mayConnect(socket.remoteAddress)) socket.destroy();
  });
  const onRequest = options.onRequest && hidingSecret(options.onRequest, gate);
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

function hidingSecret(onRequest: (record: AccessRecord) => void, { prefix }: Gate): (record: AccessRecord) => void {
  return (record) => onRequest(prefix.hide(record));
}

class HttpListener implements Listener {
  readonly address: { readonly host: string; readonly port: number };
  readonly urls: readonly string[];
  readonly closed: Promise<void>;
  readonly #servers: readonly Server[];
  readonly #endIdle: readonly (() => void)[];
  readonly #ended: AbortController;

  /** `path` is the last part of its URLs. */
  constructor(bound: Bound<Server>, ended: AbortController, { signal }: Scope, path: string) {
    this.#servers = bound.servers;
    this.#ended = ended;
    this.address = { host: bound.hosts[0] as string, port: bound.port };
    this.urls = listenerUrls('http', bound.hosts, bound.port).map((url) => `${url}${path}`);
    this.#endIdle = bound.servers.map(watchIdle);
    this.closed = serversClosed(bound.servers, signal, () => void this.close());
  }

  /** Takes no more, and ends when what is under way has. */
  finish(): void {
    for (const server of this.#servers) if (server.listening) server.close();
    for (const endIdle of this.#endIdle) endIdle();
  }

  async close({ graceMs = 0 }: { graceMs?: number } = {}): Promise<void> {
    this.finish();
    const timer = setTimeout(() => this.#cut(), graceMs);
    if (graceMs <= 0) this.#cut();
    await this.closed.catch(() => undefined);
    clearTimeout(timer);
  }

  #cut(): void {
    this.#ended.abort(new XferError('DISCONNECTED', 'serve: the listener was closed'));
    for (const server of this.#servers) server.closeAllConnections();
  }
}
