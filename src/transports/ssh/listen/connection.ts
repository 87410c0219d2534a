/** One connection to the listener: login, then sessions of sftp and of the old scp, and nothing else that SSH has. */
import type { Socket } from 'node:net';
import ssh2, { type Connection, type Server, type Session } from 'ssh2';
import { withinTimerMs } from '../../../concurrency/longest-timer.js';
import type { Accounts } from '../../../listening/accounts.js';
import { plainAddress } from '../../../listening/client-address.js';
import type { FileRecord, SshRecord } from './access-log.js';
import type { Place } from './admission.js';
import type { AuthorizedKeys } from './authorized-keys.js';
import type { Folder } from './folder.js';
import type { Handle } from './handles.js';
import { parseLegacyCommand } from './legacy-command.js';
import { LegacySession } from './legacy-session.js';
import type { Limits } from './limits.js';
import { watchLogin } from './login.js';
import { SftpSession } from './sftp-session.js';

export interface ServedOptions {
  readonly privateKey: string;
  readonly accounts: Accounts;
  readonly keys: AuthorizedKeys | undefined;
  readonly folder: Folder;
  readonly limits: Limits;
  readonly onRecord: (record: SshRecord) => void;
}

/**
 * No SHA-1 and no CBC. No compression: ssh2's ends the process where a connection breaks off in the middle (its issue 1178).
 */
const ALGORITHMS = {
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'] as const,
  compress: ['none'] as const,
};

const LAST_WORDS_MS = 2000;

export class ServedConnection {
  /** Settles when the connection is gone, and what it left without a name as well. */
  readonly gone: Promise<void>;
  readonly #options: ServedOptions;
  readonly #socket: Socket;
  readonly #client: string;
  readonly #sessions = new Set<SftpSession | LegacySession>();
  #sessionCount = 0;
  #user = '';
  #connection: Connection | undefined;
  #closing = false;

  #leave = (): void => undefined;

  constructor(socket: Socket, place: Place, options: ServedOptions) {
    this.#options = options;
    this.#socket = socket;
    this.gone = new Promise((resolve) => {
      this.#leave = resolve;
    });
    this.#client = plainAddress(socket.remoteAddress ?? '-');
    socket.setNoDelay(true);
    const timer = setTimeout(() => socket.destroy(), withinTimerMs(options.limits.loginTimeoutMs));
    socket.once('close', () => {
      clearTimeout(timer);
      place.leave();
      for (const session of this.#sessions) session.end();
      this.#leaveWhereGone();
    });
    // One server for each socket, so that a connection is known by its socket from the first byte on.
    const server: Server = new ssh2.Server(
      {
        hostKeys: [options.privateKey],
        ident: 'xfer',
        algorithms: { ...ALGORITHMS, hmac: [...ALGORITHMS.hmac], compress: [...ALGORITHMS.compress] },
      },
      (connection) => this.#greet(connection, place, timer),
    );
    server.injectSocket(socket);
  }

  #greet(connection: Connection, place: Place, timer: NodeJS.Timeout): void {
    this.#connection = connection;
    const { accounts, keys, limits } = this.#options;
    // What breaks a connection ends it; its socket's 'close' does the rest.
    connection.on('error', () => this.#endSoon());
    connection.on('ready', () => clearTimeout(timer));
    watchLogin({
      client: connection,
      accounts,
      keys,
      place,
      tries: limits.loginTries,
      onLogin: (login) => {
        if (login.accepted) this.#user = login.user;
        this.#options.onRecord({ type: 'login', time: new Date(), client: this.#client, ...login });
      },
    });
    connection.on('session', (accept, reject) => {
      if (this.#closing || this.#sessionCount >= limits.sessions) return reject();
      this.#sessionCount += 1;
      this.#serve(accept());
    });
  }

  /** Whatever is not listened to is refused by ssh2: shells, other commands, terminals, forwarding, agents, environments. */
  #serve(session: Session): void {
    let running: SftpSession | LegacySession | undefined;
    const { folder, limits } = this.#options;
    const onEnd = () => {
      if (running) this.#sessions.delete(running);
      this.#endWhereIdle();
      this.#leaveWhereGone();
    };
    session.on('subsystem', (accept, reject, { name }) => {
      if (name !== 'sftp' || running) return reject?.();
      const onHandleClosed = (handle: Handle, lost: boolean) => this.#tell(handle, lost);
      const onIdle = () => this.#endWhereIdle();
      const parts = { channel: accept(), line: this.#socket, folder, mostHandles: limits.handles };
      running = new SftpSession({ ...parts, onHandleClosed, onIdle, onEnd });
      this.#sessions.add(running);
    });
    // Read as a shell would, and never given to one.
    session.on('exec', (accept, reject, { command: line }) => {
      const command = running ? undefined : parseLegacyCommand(line);
      if (!command) return reject?.();
      const openedMs = performance.now();
      const direction = command.role === 'send' ? 'get' : 'put';
      const onFile = (path: string, bytes: number) =>
        this.#record({ direction, path, bytes, openedMs, aborted: false });
      running = new LegacySession({ channel: accept(), line: this.#socket, folder, command, onFile, onEnd });
      this.#sessions.add(running);
    });
    session.on('close', () => {
      this.#sessionCount -= 1;
      running?.end();
    });
  }

  #tell(handle: Handle, aborted: boolean): void {
    if (handle.kind === 'directory') return;
    const { path, bytesRead, bytesWritten, openedMs, mayWrite } = handle;
    const went = mayWrite
      ? ({ direction: 'put', bytes: bytesWritten } as const)
      : ({ direction: 'get', bytes: bytesRead } as const);
    this.#record({ ...went, path, openedMs, aborted });
  }

  #record({
    openedMs,
    ...went
  }: Pick<FileRecord, 'direction' | 'path' | 'bytes' | 'aborted'> & { openedMs: number }): void {
    const durationMs = performance.now() - openedMs;
    const who = { type: 'file', time: new Date(), client: this.#client, user: this.#user } as const;
    this.#options.onRecord({ ...who, ...went, durationMs });
  }

  /** Lets the last words reach a client that listens. */
  #endSoon(): void {
    this.#socket.destroySoon();
    const timer = setTimeout(() => this.#socket.destroy(), LAST_WORDS_MS).unref();
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #leaveWhereGone(): void {
    if (this.#socket.closed && this.#sessions.size === 0) this.#leave();
  }

  /** Ends the connection as soon as it has nothing open. */
  closeWhenIdle(): void {
    this.#closing = true;
    this.#endWhereIdle();
  }

  #endWhereIdle(): void {
    if (!this.#closing || [...this.#sessions].some((session) => session.busy)) return;
    if (this.#connection) this.#connection.end();
    else this.#socket.destroy();
  }

  /** Ends it at once. */
  cut(): void {
    this.#closing = true;
    this.#socket.destroy();
  }
}
