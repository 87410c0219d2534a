/** One SSH connection: made, checked, logged in, kept alive, and ended without a rest. */
import { connect, type Socket } from 'node:net';
import ssh2, { type Client, type ClientCallback, type ClientChannel, type ConnectConfig } from 'ssh2';
import { XferError } from '../../errors.js';
import { printable } from '../../names.js';
import type { Prompt, Scope } from '../../transport.js';
import { algorithmsFor } from './algorithms.js';
import { authenticate } from './auth.js';
import type { Carrier, RemoteCommand } from './carrier.js';
import { channelCommand } from './channel-command.js';
import type { SshConfig } from './config.js';
import { connectionError, SYSTEM_SSH_HINT } from './connection-error.js';
import { widenWindow } from './download-window.js';
import { verifyHostKey } from './host-key.js';
import { type KnownHost, loadKnownHost } from './known-hosts-command.js';
import { SftpClient } from './sftp-client.js';
import { NEAR_RTT_MS } from './sftp-limits.js';

export interface ConnectionRequest {
  readonly config: SshConfig;
  readonly prompt?: Prompt | undefined;
  readonly onNotice?: ((line: string) => void) | undefined;
  /** Tell each step of the protocol as a notice. */
  readonly verbose?: boolean | undefined;
  readonly scope: Scope;
}

const KEEPALIVE_MS = 15_000;
const USUAL_CONNECT_TIMEOUT_MS = 60_000;
const MAX_BANNER_LINES = 50;

export class SshConnection implements Carrier {
  readonly account: string;
  readonly loginPerSession = false;
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #host: string;
  readonly #sessions = new Set<SftpClient>();
  #lost: XferError | undefined;

  private constructor(client: Client, socket: Socket, { host, hostName, user, port }: SshConfig) {
    this.#client = client;
    this.#socket = socket;
    this.#host = host;
    this.account = `sftp://${user}@${hostName}:${port}`;
  }

  get lost(): XferError | undefined {
    return this.#lost;
  }

  /**
   * Connects and logs in. The host's key is checked before anything else is said. UNREACHABLE, TIMED_OUT, DISCONNECTED,
   * DENIED (key or login), PROTOCOL, UNSUPPORTED (also for a configuration that asks for what is not done here).
   */
  static async open(request: ConnectionRequest): Promise<SshConnection> {
    const { config, scope } = request;
    scope.signal.throwIfAborted();
    refuseUnsupported(config);
    const known = await loadKnownHost(config, scope);
    scope.signal.throwIfAborted();
    const family = { any: 0, inet: 4, inet6: 6 }[config.addressFamily];
    const socket = connect({
      host: config.hostName,
      port: config.port,
      family,
      noDelay: true,
      localAddress: config.bindAddress,
    });
    const connection = new SshConnection(new ssh2.Client(), socket, config);
    try {
      await connection.#logIn(request, known);
      return connection;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  #logIn(request: ConnectionRequest, { knownHosts, keyTypes }: KnownHost): Promise<void> {
    const { config, scope, onNotice } = request;
    const client = this.#client;
    return new Promise((resolve, reject) => {
      const timeoutMs = config.connectTimeoutMs ?? USUAL_CONNECT_TIMEOUT_MS;
      const timer = setTimeout(() => {
        const reason = `no answer within ${timeoutMs / 1000} s`;
        fail(new XferError('TIMED_OUT', `connect to ${config.hostName}:${config.port}: ${reason}`));
      }, timeoutMs);
      const onAbort = () => fail(scope.signal.reason);
      const settle = () => {
        clearTimeout(timer);
        scope.signal.removeEventListener('abort', onAbort);
      };
      const fail = (error: unknown) => {
        settle();
        reject(error);
        this.#socket.destroy();
      };
      scope.signal.addEventListener('abort', onAbort, { once: true });
      const login = authenticate({ ...request, onFailure: fail });
      const lose = (error: XferError) => {
        this.#loseAll(error);
        fail(error);
      };
      client.on('error', (error) => {
        if (error.level === 'agent') onNotice?.(printable(`agent: ${error.message}`));
        else lose(error.level === 'client-authentication' ? login.failure() : connectionError(error, config));
      });
      client.on('close', () => lose(new XferError('DISCONNECTED', `connection to ${config.host}: it ended`)));
      client.on('banner', (text) => tellBanner(text, onNotice));
      client.on('handshake', () => clearTimeout(timer));
      client.on('ready', () => {
        settle();
        resolve();
      });
      const verify = (key: Buffer, done: (ok: boolean) => void) => {
        clearTimeout(timer);
        verifyHostKey({ ...request, knownHosts, key, address: this.#socket.remoteAddress }).then(
          () => done(true),
          (error: unknown) => {
            fail(error);
            done(false);
          },
        );
      };
      try {
        const fixed = connectSettings(request, keyTypes);
        client.connect({ ...fixed, sock: this.#socket, hostVerifier: verify, authHandler: login.next });
        client.setNoDelay(true);
      } catch (error) {
        fail(connectionError(error, config));
      }
    });
  }

  async openSftp(scope: Scope): Promise<SftpClient> {
    const channel = await this.#openChannel(scope, (done) => this.#client.subsys('sftp', done));
    channel.stderr.resume();
    const session = await SftpClient.start(channel, scope, this.#socket);
    const widen = () => void (session.rttMs >= NEAR_RTT_MS && widenWindow(this.#client, channel));
    session.settled.then(widen, () => undefined);
    this.#sessions.add(session);
    return session;
  }

  async execute(command: string, scope: Scope): Promise<RemoteCommand> {
    const channel = await this.#openChannel(scope, (done) => this.#client.exec(command, done));
    return channelCommand(channel, () => this.#lost);
  }

  #openChannel({ signal }: Scope, open: (done: ClientCallback) => void): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.#lost) return reject(this.#lost);
      const settle = () => {
        signal.removeEventListener('abort', onAbort);
        this.#client.off('close', onClose);
      };
      const stop = (error: unknown) => {
        settle();
        reject(error);
      };
      const onAbort = () => stop(signal.reason);
      const onClose = () => stop(this.#lost);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#client.once('close', onClose);
      try {
        open((error, channel) => {
          if (signal.aborted) return channel?.close();
          if (error) return stop(this.#lost ?? sessionError(error, this.#host));
          settle();
          resolve(channel);
        });
      } catch (error) {
        // ssh2 throws where the socket ended and its 'close' is still to come.
        stop(new XferError('DISCONNECTED', `connection to ${this.#host}: it ended`, { cause: error }));
      }
    });
  }

  #loseAll(error: XferError): void {
    this.#lost ??= error;
    for (const session of this.#sessions) session.channel.fail(this.#lost);
    this.#sessions.clear();
  }

  /** Ends all sessions and the connection. May be called twice. */
  async close(): Promise<void> {
    for (const session of this.#sessions) session.end();
    this.#sessions.clear();
    if (this.#socket.destroyed) return;
    const closed = new Promise((resolve) => this.#socket.once('close', resolve));
    this.#client.end();
    this.#socket.destroySoon();
    // A peer that takes no more bytes must not hold us.
    const timer = setTimeout(() => this.#socket.destroy(), 1000);
    await closed;
    clearTimeout(timer);
  }
}

/** What does not change while it connects. The login has no time limit: a person may be typing. */
function connectSettings({ config, onNotice, verbose }: ConnectionRequest, keyTypes: readonly string[]): ConnectConfig {
  return {
    username: config.user,
    algorithms: algorithmsFor(config, keyTypes),
    readyTimeout: 0,
    keepaliveInterval: config.serverAliveIntervalMs || KEEPALIVE_MS,
    keepaliveCountMax: config.serverAliveCountMax,
    ...(verbose && onNotice ? { debug: (line: string) => onNotice(printable(line)) } : {}),
  };
}

function refuseUnsupported(config: SshConfig): void {
  const proxy = (config.proxyJump && 'ProxyJump') ?? (config.proxyCommand && 'ProxyCommand');
  const line = config.unsupported[0] ?? proxy ?? (config.bindInterface && 'BindInterface');
  if (line === undefined) return;
  throw new XferError('UNSUPPORTED', `connect to ${config.host}: ${line} cannot be done here`, {
    hint: SYSTEM_SSH_HINT,
  });
}

function tellBanner(text: string, onNotice?: (line: string) => void): void {
  const lines = text.replace(/\r/g, '').split('\n').slice(0, MAX_BANNER_LINES);
  for (const line of lines) if (line.trim() !== '') onNotice?.(printable(line.slice(0, 500)));
}

function sessionError(error: Error, host: string): XferError {
  if (/Channel open failure/i.test(error.message)) {
    return new XferError('DENIED', `session on ${host}: the server takes no more sessions`, { cause: error });
  }
  if (/Unable to exec/i.test(error.message)) {
    return new XferError('DENIED', `command on ${host}: the server starts none`, { cause: error });
  }
  return new XferError('UNSUPPORTED', `sftp session on ${host}: the server has no sftp subsystem`, {
    hint: 'try the old protocol: xfer scp -O',
    cause: error,
  });
}
