/** One SSH connection: made, checked, logged in, kept alive, and ended without a rest. */
import ssh2, { type Client, type ClientCallback, type ClientChannel, type ExecOptions } from 'ssh2';
import { XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';
import type { SshConfig } from '../config/config.js';
import { type KnownHost, loadKnownHost } from '../host-keys/known-hosts-command.js';
import { SftpClient } from '../sftp/client.js';
import { NEAR_RTT_MS } from '../sftp/limits.js';
import type { Carrier, RemoteCommand } from './carrier.js';
import { ChannelStream, channelCommand } from './channel-command.js';
import { forwardError, noSftp, SYSTEM_SSH_HINT, sessionError } from './connection-error.js';
import { type ConnectionRequest, logIn } from './connection-login.js';
import { widenWindow } from './download-window.js';
import { Patience } from './patience.js';
import { openRoute, type Route } from './route.js';
import { Watch } from './watch.js';

export type { ConnectionRequest } from './connection-login.js';

/** Between signs of life that are asked for, where the configuration does not say. */
const KEEPALIVE_MS = 15_000;
const USUAL_CONNECT_TIMEOUT_MS = 60_000;
const LONGEST_GOODBYE_MS = 1000;

export class SshConnection implements Carrier {
  readonly account: string;
  readonly loginPerSession = false;
  rttMs = 0;
  readonly #client: Client;
  readonly #route: Route;
  readonly #config: SshConfig;
  readonly #sessions = new Set<SftpClient>();
  readonly #channels = new Set<ClientChannel>();
  #watch: Watch | undefined;
  #forwardAgent: boolean;
  #lost: XferError | undefined;

  private constructor(client: Client, route: Route, config: SshConfig) {
    this.#client = client;
    this.#route = route;
    this.#config = config;
    this.#forwardAgent = config.forwardAgent;
    this.account = `sftp://${config.user}@${config.hostName}:${config.port}`;
  }

  /**
   * Connects, by way of each jump host, and logs in. The host's key is checked before anything else is said.
   * UNREACHABLE, TIMED_OUT, DISCONNECTED, DENIED (key or login), PROTOCOL, UNSUPPORTED (also for a configuration that
   * asks for what is not done here).
   */
  static async open(request: ConnectionRequest): Promise<SshConnection> {
    const { config, scope } = request;
    scope.signal.throwIfAborted();
    refuseUnsupported(config);
    const known = await loadKnownHost(config, scope);
    scope.signal.throwIfAborted();
    const patience = new Patience(config, config.connectTimeoutMs ?? USUAL_CONNECT_TIMEOUT_MS, scope.signal);
    let route: Route | undefined;
    try {
      route = await openRoute(request, patience, (hop) => SshConnection.open(hop));
      const connection = new SshConnection(new ssh2.Client(), route, config);
      await connection.#logIn(request, known, patience);
      return connection;
    } catch (error) {
      await route?.close();
      throw error;
    } finally {
      patience.end();
    }
  }

  get lost(): XferError | undefined {
    return this.#lost;
  }

  async #logIn(request: ConnectionRequest, known: KnownHost, patience: Patience): Promise<void> {
    const config = this.#config;
    const intervalMs = config.serverAliveIntervalMs || KEEPALIVE_MS;
    const onLost = (error: XferError) => this.#loseAll(error);
    this.rttMs = await logIn({
      ...request,
      known,
      address: this.#route.socket?.remoteAddress,
      patience,
      client: this.#client,
      stream: this.#route.stream,
      intervalMs,
      onLost,
    });
    this.#watch = new Watch(this.#route.stream, intervalMs * (config.serverAliveCountMax + 1), () => {
      this.#loseAll(new XferError('DISCONNECTED', `connection to ${config.host}: the server stopped answering`));
      this.#route.stream.destroy();
    });
  }

  async openSftp(scope: Scope): Promise<SftpClient> {
    const channel = await this.#openChannel(
      scope,
      (done) => this.#client.subsys('sftp', done),
      (opened) => opened,
    );
    channel.stderr.resume();
    let heard = false;
    channel.once('data', () => {
      heard = true;
    });
    const session = await SftpClient.start(channel, scope, this.#route.socket).catch((error: unknown) => {
      if (heard || scope.signal.aborted || this.#lost) throw error;
      // The exit code of a shell that found no such program may be lost, since we close as soon as the channel ends.
      throw noSftp(`sftp session on ${this.#config.host}: the server's sftp program did not start`, error as Error);
    });
    const widen = () => {
      if (session.rttMs >= NEAR_RTT_MS) session.readWindowBytes = widenWindow(this.#client, channel);
    };
    session.settled.then(widen, () => undefined);
    this.#sessions.add(session);
    channel.once('close', () => this.#sessions.delete(session));
    return session;
  }

  async execute(command: string, scope: Scope): Promise<RemoteCommand> {
    const agentForward = this.#forwardAgent;
    try {
      // ssh2's types leave agentForward out.
      const settings: ExecOptions & { agentForward: boolean } = { agentForward };
      const start = (done: ClientCallback) => this.#client.exec(command, settings, done);
      return await this.#openChannel(scope, start, (channel) => channelCommand(channel, () => this.#lost));
    } catch (error) {
      // As ssh: a server that does not let the agent through still runs the command.
      if (!agentForward || !/agent forwarding/.test(String((error as Error).cause))) throw error;
      this.#forwardAgent = false;
      return this.execute(command, scope);
    }
  }

  /** A connection from here to a host that this one can reach. UNREACHABLE, DENIED, DISCONNECTED. */
  async forward({ hostName, port }: SshConfig, scope: Scope): Promise<ChannelStream> {
    const open = (done: ClientCallback) => this.#client.forwardOut('127.0.0.1', 0, hostName, port, done);
    const explain = (error: Error) => forwardError(error, `${hostName}:${port}`, this.#config.host);
    const take = (channel: ClientChannel): ChannelStream => {
      // All channels of the next connection go through this one.
      widenWindow(this.#client, channel);
      return new ChannelStream(channel, () => this.#lost);
    };
    return this.#openChannel(scope, open, take, explain);
  }

  /** `take` has the channel before anything that came in the same piece as the answer, an exit code say, is told of it. */
  #openChannel<Taken>(
    { signal }: Scope,
    open: (done: ClientCallback) => void,
    take: (channel: ClientChannel) => Taken,
    explain = (error: Error) => sessionError(error, this.#config.host),
  ): Promise<Taken> {
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
          if (error) return stop(this.#lost ?? explain(error));
          settle();
          this.#channels.add(channel);
          channel.once('close', () => this.#channels.delete(channel));
          resolve(take(channel));
        });
      } catch (error) {
        // ssh2 throws where the socket ended and its 'close' is still to come.
        stop(new XferError('DISCONNECTED', `connection to ${this.#config.host}: it ended`, { cause: error }));
      }
    });
  }

  #loseAll(error: XferError): void {
    this.#lost ??= error;
    this.#watch?.end();
    for (const channel of this.#channels) silence(channel);
    this.#channels.clear();
    for (const session of this.#sessions) session.channel.fail(this.#lost);
    this.#sessions.clear();
  }

  async close(): Promise<void> {
    this.#watch?.end();
    for (const session of this.#sessions) session.end();
    this.#sessions.clear();
    const { stream } = this.#route;
    if (!stream.destroyed) {
      const closed = new Promise((resolve) => stream.once('close', resolve));
      this.#client.end();
      stream.end(() => stream.destroy());
      // A peer that takes no more bytes must not hold us.
      const timer = setTimeout(() => stream.destroy(), LONGEST_GOODBYE_MS);
      await closed;
      clearTimeout(timer);
    }
    await this.#route.close();
  }
}

/**
 * Nothing more is written on a channel whose connection ended: ssh2 would compress it with what is gone already, and
 * throw where nobody can catch (mscdex/ssh2#1178).
 */
function silence(channel: ClientChannel): void {
  const { outgoing } = channel as unknown as { outgoing?: { state?: string } };
  if (outgoing) outgoing.state = 'closed';
}

function refuseUnsupported(config: SshConfig): void {
  const [line] = config.unsupported;
  if (line === undefined) return;
  throw new XferError('UNSUPPORTED', `connect to ${config.host}: ${line} cannot be done here`, {
    hint: SYSTEM_SSH_HINT,
  });
}
