/** The HTTP listener: shares a source with browsers and with everything else that speaks HTTP/1.1. */
import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { timerMs, withinTimerMs } from '../../../concurrency/longest-timer.js';
import { throwIfAborted, XferError } from '../../../errors.js';
import { GatheredSource } from '../../../gathered-source.js';
import { plainAddress } from '../../../listening/client-address.js';
import { type Address, type Bound, bind, mainAddress } from '../../../listening/listen-address.js';
import { urlsThatAnswer } from '../../../listening/listener-urls.js';
import { checkOnePlace } from '../../../listening/one-place.js';
import { serversClosed } from '../../../listening/servers-closed.js';
import type { Listener, Scope, Transfer } from '../../../transport.js';
import { Gate } from './access/gate.js';
import { type Announced, announceListener } from './announce-listener.js';
import { Archives } from './archive/archives.js';
import type { Opened } from './cgi/open-cgi.js';
import { checkListenOptions } from './check-options.js';
import { ReprDigests } from './file/repr-digest.js';
import { watchIdle } from './idle-connections.js';
import { inTurn } from './in-turn.js';
import { FairLimit } from './limit/fair-limit.js';
import { paceOf } from './limit/paced.js';
import type { HttpListenOptions } from './options.js';
import { respond } from './respond.js';
import { type SharedSource, type Sharing, sharedSource } from './sharing.js';
import { openSite } from './site/open-site.js';
import type { Status } from './status/answer-status.js';
import { Metrics } from './status/metrics.js';
import { type Hide, Transfers } from './status/transfers.js';
import { renewTls } from './tls/renewal.js';
import { createTlsServer } from './tls/tls-server.js';
import { Uploads } from './upload/uploads.js';

export { type AccessFormat, type AccessRecord, formatAccess } from './log/access-log.js';
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
 * it accepts. Rejects with USAGE without a share, for a `receive` that is another place, a key and a certificate that cannot
 * be used, or an option that is not right, UNSUPPORTED for a share that cannot be shared or a sink that takes no uploads,
 * NOT_FOUND where its root is missing, EXISTS where the port is taken, DENIED where it may not be used. An abort of the scope
 * ends it at once.
 */
export async function listen(given: HttpListenOptions, scope: Scope): Promise<Listener> {
  throwIfAborted(scope.signal);
  checkListenOptions(given);
  const options = withTimers(given);
  checkUploads(options);
  const shared = await sharedDirectory(options, scope);
  checkOnePlace(shared, options.receive);
  const announcedHost = options.mdns ? [`${options.mdns.host}.local`] : [];
  const onlyOnce = shared.capabilities.replay ? undefined : shared.label;
  const gate = new Gate(options, [...(options.hosts ?? []), ...announcedHost], onlyOnce);
  const scripts = await scriptsOf(shared, options, scope);
  const share = scripts?.share ?? shared;
  const site = options.receive ? undefined : await openSite(share, options, scope, options.onNotice);
  const ended = new AbortController();
  // Each open and each listing under way listens to it.
  setMaxListeners(0, ended.signal);
  const uploads = await uploadsOf(share, options, { signal: ended.signal });
  uploads?.count.usedUp.addEventListener('abort', () => gate.lifetime.end(uploads.count.reason));
  const sharing: Sharing = {
    share,
    scope: { signal: ended.signal },
    gate,
    hidden: options.hidden ?? false,
    named: new Set(shared instanceof GatheredSource ? shared.names : []),
    platform: process.platform,
    archives: new Archives(options.archives),
    digests: new ReprDigests(),
    encrypted: options.tls !== undefined,
    ...(uploads ? { uploads } : {}),
    ...(site ? { site } : {}),
    ...(scripts ? { cgi: scripts.cgi } : {}),
  };
  const { hosts = scripts && LOOPBACK, port, descriptors, tlsRenewal, example = 'xfer serve .' } = options;
  const service = serviceOf(options, sharing);
  const bound = await bind(() => makeServer(options, service), { hosts, port, descriptors, example });
  const bare = await urlsThatAnswer(options.tls ? 'https' : 'http', bound.addresses);
  const announced = await announceListener(bare, options.mdns, options.onNotice);
  const urls = [...bare, ...announced.urls].map((url) => url + gate.prefix.below);
  const { transfers } = service;
  if (tlsRenewal) renewTls(bound.servers, tlsRenewal, options.onNotice ?? (() => undefined), ended.signal);
  const listener = new HttpListener({ bound, urls, announced, transfers, ended, uploads }, scope);
  endInTime(listener, gate, options.onNotice);
  return listener;
}

/** Ends the listener, and the gate with it, once it has served enough or what it serves is lost. */
function endInTime(listener: HttpListener, gate: Gate, onNotice: HttpListenOptions['onNotice']): void {
  void gate.lifetime.over.then((reason) => {
    if (typeof reason === 'string') onNotice?.(`serve: ${reason}, so it ends`);
    listener.finish(typeof reason === 'string' ? undefined : reason);
  });
  void listener.closed.finally(() => gate.close()).catch(() => undefined);
}

/** With the times that all parts of it go by, as a timer can be given them. */
function withTimers(options: HttpListenOptions) {
  return {
    ...options,
    headersTimeoutMs: timerMs('headersTimeoutMs', options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS),
    idleTimeoutMs: timerMs('idleTimeoutMs', options.idleTimeoutMs ?? IDLE_TIMEOUT_MS),
  };
}

type TimedOptions = ReturnType<typeof withTimers>;

/** What is shared, as a directory: one file alone is what is in it. */
async function sharedDirectory({ share, receive }: HttpListenOptions, scope: Scope): Promise<SharedSource> {
  const shared = sharedSource(share);
  const root = await shared.stat('', scope);
  if (!root) throw new XferError('NOT_FOUND', `serve ${shared.label}: no such file or directory`);
  if (root.kind === 'directory') return shared;
  if (receive) throw new XferError('USAGE', `serve ${shared.label}: uploads go into a directory`);
  return new GatheredSource(new Map([[shared.name, shared]]));
}

/** Whoever uploads may give the share neither rules nor programs. USAGE where both are asked for. */
function checkUploads({ receive, site, single, cgi }: HttpListenOptions): void {
  if (!receive || !(site || single || cgi)) return;
  throw new XferError('USAGE', `serve ${receive.label}: uploads, and a site or programs`, {
    hint: 'whoever uploads could change them; serve them with two commands, on two ports',
  });
}

/** What others may put into the share. */
async function uploadsOf(share: SharedSource, options: TimedOptions, scope: Scope): Promise<Uploads | undefined> {
  const { receive, upload = {}, idleTimeoutMs, onNotice } = options;
  if (!receive) return undefined;
  const uploads = new Uploads(share, receive, upload, idleTimeoutMs, scope);
  await uploads.begin(onNotice);
  return uploads;
}

/** Where scripts are run. The package that starts programs is loaded for them alone. */
async function scriptsOf(share: SharedSource, options: TimedOptions, scope: Scope): Promise<Opened | undefined> {
  const { cgi, idleTimeoutMs, onNotice } = options;
  if (!cgi) return undefined;
  const { openCgi } = await import('./cgi/open-cgi.js');
  return openCgi(share, cgi, idleTimeoutMs, scope, onNotice);
}

/** What all servers of a listener have in common. */
interface Service {
  readonly sharing: Sharing;
  readonly transfers: Transfers;
  readonly status: Status | undefined;
  readonly limit: FairLimit | undefined;
}

function serviceOf(options: HttpListenOptions, sharing: Sharing): Service {
  const { onRequest, limitBytesPerSecond: bytesPerSecond, limitClientBytesPerSecond: clientBytesPerSecond } = options;
  const metrics = options.metrics ? new Metrics() : undefined;
  const hide: Hide = (told) => sharing.gate.prefix.hide(told);
  const transfers = new Transfers(hide, ...(metrics ? [metrics.count] : []), ...(onRequest ? [onRequest] : []));
  const limited = bytesPerSecond !== undefined || clientBytesPerSecond !== undefined;
  return {
    sharing,
    transfers,
    status: metrics && { metrics, transfers },
    limit: limited ? new FairLimit({ bytesPerSecond, clientBytesPerSecond }) : undefined,
  };
}

function makeServer(options: TimedOptions, service: Service): Server {
  const { headersTimeoutMs: headersTimeout, idleTimeoutMs: idleMs } = options;
  const settings = {
    headersTimeout,
    requestTimeout: 0,
    keepAliveTimeout: Math.min(KEEP_ALIVE_MS, idleMs),
    connectionsCheckingInterval: Math.min(Math.max(headersTimeout / 4, 20), 2500),
    highWaterMark: SEND_BUFFER_BYTES,
  };
  const server = options.tls ? createTlsServer(settings, options.tls, headersTimeout) : createServer(settings);
  // Counts from the last byte that moved either way, so it cuts no transfer that makes progress.
  server.timeout = idleMs;
  const { sharing, transfers, status, limit } = service;
  const { downloads } = sharing.gate.lifetime;
  // At once, so that nothing is read from them.
  server.prependListener('connection', (socket) => {
    if (!sharing.gate.mayConnect(socket.remoteAddress)) socket.destroy();
  });
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const client = clientOf(request.socket);
    const tally = transfers.begin(request, response, client);
    inTurn(request, response, () => {
      if (!server.listening) response.shouldKeepAlive = false;
      const pace = limit && paceOf(limit, client, request, response);
      void respond({ request, response, tally, pace, downloads }, sharing, status);
    });
  };
  server.on('request', take);
  // What comes with `Expect: 100-continue` is looked at first: only a body that is wanted is asked for.
  server.on('checkContinue', take);
  return server;
}

/** Who is at the other end: `unix` for a unix socket or a named pipe. */
function clientOf(socket: Socket): string {
  const { remoteAddress } = socket;
  if (remoteAddress !== undefined) return plainAddress(remoteAddress);
  // A socket forgets its address as soon as it is closed.
  return socket.destroyed ? '-' : 'unix';
}

interface Parts {
  readonly bound: Bound<Server>;
  readonly urls: readonly string[];
  readonly announced: Announced;
  readonly transfers: Transfers;
  readonly ended: AbortController;
  readonly uploads: Uploads | undefined;
}

class HttpListener implements Listener {
  readonly address: Address;
  readonly sockets: readonly string[];
  readonly urls: readonly string[];
  readonly closed: Promise<void>;
  readonly #servers: readonly Server[];
  readonly #transfers: Transfers;
  readonly #withdraw: () => Promise<void>;
  readonly #endIdle: readonly (() => void)[];
  readonly #ended: AbortController;
  readonly #uploads: Uploads | undefined;
  #fault: XferError | undefined;

  constructor({ bound, urls, announced, transfers, ended, uploads }: Parts, { signal }: Scope) {
    this.#servers = bound.servers;
    this.#transfers = transfers;
    this.#ended = ended;
    this.#uploads = uploads;
    this.address = mainAddress(bound);
    this.sockets = bound.sockets;
    this.urls = urls;
    let withdrawn: Promise<void> | undefined;
    this.#withdraw = () => (withdrawn ??= announced.end());
    this.#endIdle = bound.servers.map(watchIdle);
    this.closed = serversClosed(
      bound.servers,
      signal,
      () => void this.close(),
      () => this.#last(),
    );
  }

  async #last(): Promise<void> {
    await this.#withdraw();
    await this.#uploads?.close();
    if (this.#fault) throw this.#fault;
  }

  transfers(): readonly Transfer[] {
    return this.#transfers.list();
  }

  /** Takes no more, and ends when what is under way has: with the fault, where there is one. */
  finish(fault?: XferError): void {
    this.#fault ??= fault;
    void this.#withdraw();
    for (const server of this.#servers) if (server.listening) server.close();
    for (const endIdle of this.#endIdle) endIdle();
  }

  async close({ graceMs = 0 }: { graceMs?: number } = {}): Promise<void> {
    this.finish();
    const timer = setTimeout(() => this.#cut(), withinTimerMs(graceMs));
    if (graceMs <= 0) this.#cut();
    await this.closed.catch(() => undefined);
    clearTimeout(timer);
  }

  #cut(): void {
    this.#ended.abort(new XferError('DISCONNECTED', 'serve: the listener was closed'));
    for (const server of this.#servers) server.closeAllConnections();
  }
}
