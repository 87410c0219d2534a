/** The SSH listener: shares a directory with everything that speaks SFTP. */
import { setMaxListeners } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { withinTimerMs } from '../../../concurrency/longest-timer.js';
import { throwIfAborted, XferError } from '../../../errors.js';
import { type Account, Accounts } from '../../../listening/accounts.js';
import { type Address, type Bound, bind, mainAddress } from '../../../listening/listen-address.js';
import { urlsThatAnswer } from '../../../listening/listener-urls.js';
import { serversClosed } from '../../../listening/servers-closed.js';
import { checkKinds, type Kinds, TEXT, TEXTS } from '../../../option-rules.js';
import type { Listener, ListenOptions, Scope } from '../../../transport.js';
import type { SshRecord } from './access-log.js';
import { Admission } from './admission.js';
import { type AuthorizedKeys, readAuthorizedKeys } from './authorized-keys.js';
import { ServedConnection, type ServedOptions } from './connection.js';
import { openFolder } from './folder.js';
import { checkHostKey, makeHostKey, type ServedHostKey } from './host-key-file.js';
import { LIMIT_KINDS, LIMITS, type Limits } from './limits.js';

export interface SshListenOptions extends ListenOptions {
  /** Who may log in with a password. */
  readonly accounts?: readonly Account[];
  /** A file of the keys that may log in, under any name. */
  readonly authorizedKeys?: string;
  /** One that is made now, and that clients will not know again, where absent. */
  readonly hostKey?: Pick<ServedHostKey, 'privateKey'>;
  /** Told of each login and of each file when it is closed. */
  readonly onRecord?: (record: SshRecord) => void;
  readonly limits?: Partial<Limits>;
}

const KINDS: Kinds<SshListenOptions> = { hosts: TEXTS, authorizedKeys: TEXT };

/**
 * Serves the directory `options.share`, and lets it be changed where `options.receive` is given. Resolves when it accepts.
 * Rejects with USAGE where nothing is shared, nobody could log in, the host key is none or an option cannot be followed,
 * UNSUPPORTED where source or sink cannot be served, NOT_FOUND where the root or the file of keys is missing, EXISTS where
 * the port is taken, DENIED where it may not be used. An abort of the scope ends it at once.
 */
export async function listen(options: SshListenOptions, scope: Scope): Promise<Listener> {
  throwIfAborted(scope.signal);
  checkKinds('serve', options, KINDS);
  checkKinds('serve', options.limits, LIMIT_KINDS, 'limits');
  const { hosts, port, descriptors, authorizedKeys, onRecord } = options;
  const ended = new AbortController();
  // Each request under way listens to it.
  setMaxListeners(0, ended.signal);
  const folder = await openFolder(options, { signal: ended.signal });
  const accounts = new Accounts(options.accounts ?? []);
  const keys: AuthorizedKeys | undefined =
    authorizedKeys === undefined ? undefined : await readAuthorizedKeys(authorizedKeys, options.onNotice);
  if (accounts.size === 0 && !keys) {
    throw new XferError('USAGE', `serve ${folder.share.label}: nobody could log in`, {
      hint: 'give an account or a file of keys',
    });
  }
  const served: ServedOptions = {
    privateKey: options.hostKey ? checkHostKey(options.hostKey.privateKey) : makeHostKey().privateKey,
    accounts,
    keys,
    folder,
    limits: { ...LIMITS, ...options.limits },
    onRecord: onRecord ?? (() => undefined),
  };
  const listener = new SshListener(served, ended);
  const { example = `xfer serve --sftp ${folder.share.label}` } = options;
  const bound = await bind(() => listener.makeServer(), { hosts, port, descriptors, example });
  listener.start(bound, await urlsThatAnswer('sftp', bound.addresses), scope);
  return listener;
}

class SshListener implements Listener {
  address: Address = { host: '', port: 0 };
  sockets: readonly string[] = [];
  urls: readonly string[] = [];
  closed: Promise<void> = Promise.resolve();
  readonly #options: ServedOptions;
  readonly #ended: AbortController;
  readonly #admission: Admission;
  readonly #connections = new Set<ServedConnection>();
  #servers: readonly Server[] = [];

  constructor(options: ServedOptions, ended: AbortController) {
    this.#options = options;
    this.#ended = ended;
    this.#admission = new Admission(options.limits);
  }

  makeServer(): Server {
    return createServer({ pauseOnConnect: true }, (socket) => this.#take(socket));
  }

  start(bound: Bound, urls: readonly string[], { signal }: Scope): void {
    this.#servers = bound.servers;
    this.address = mainAddress(bound);
    this.sockets = bound.sockets;
    this.urls = urls;
    const lastGone = () => Promise.all([...this.#connections].map(({ gone }) => gone));
    this.closed = serversClosed(bound.servers, signal, () => void this.close(), lastGone);
  }

  #take(socket: Socket): void {
    // Else a socket that fails before SSH has it would end the process.
    socket.on('error', () => socket.destroy());
    const place = this.#admission.enter(socket.remoteAddress ?? '');
    if (!place) {
      // The words of sshd, which clients show.
      socket.end('Exceeded MaxStartups\r\n', () => socket.destroy());
      return;
    }
    const connection = new ServedConnection(socket, place, this.#options);
    this.#connections.add(connection);
    void connection.gone.then(() => this.#connections.delete(connection));
  }

  async close({ graceMs = 0 }: { graceMs?: number } = {}): Promise<void> {
    for (const server of this.#servers) if (server.listening) server.close();
    for (const connection of this.#connections) connection.closeWhenIdle();
    const timer = setTimeout(() => this.#cut(), withinTimerMs(graceMs));
    if (graceMs <= 0) this.#cut();
    await this.closed.catch(() => undefined);
    clearTimeout(timer);
    this.#admission.close();
  }

  #cut(): void {
    this.#ended.abort(new XferError('DISCONNECTED', 'serve: the listener was closed'));
    for (const connection of this.#connections) connection.cut();
  }
}
