/** One login for all that is opened on one host with the same options: counted, and ended by the last. */
import { XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';
import type { SftpClient } from '../sftp/client.js';
import type { Carrier, RemoteCommand } from './carrier.js';

/** How long a connection that was opened for a look waits for who goes on with it. */
const LINGER_MS = 1000;

export interface ShareRequest {
  /** One object for one run. */
  readonly options: object;
  /** Equal for what one connection can carry. */
  readonly destination: string;
  readonly open: () => Promise<Carrier>;
  /** Users of one kind have a session in common; those of another could keep it waiting for each other's open files. */
  readonly kind: string;
  /** It is opened for a look: the connection stays for a moment after it is closed. */
  readonly lingers: boolean;
}

const shared = new WeakMap<object, Map<string, SharedCarrier>>();

/** A carrier over the connection that is there already, or over a new one. The errors of `open`; the signal's reason. */
export async function shareCarrier(request: ShareRequest, scope: Scope): Promise<Carrier> {
  const { options, destination } = request;
  const carriers = shared.get(options) ?? new Map<string, SharedCarrier>();
  shared.set(options, carriers);
  for (;;) {
    scope.signal.throwIfAborted();
    const there = carriers.get(destination);
    if (there?.isUsable) {
      const lease = await there.lease(request).catch((error: unknown) => {
        // Who opened it may have given up, which is no reason for those who wait.
        if (error instanceof XferError) throw error;
      });
      if (lease) return lease;
    } else {
      const fresh = new SharedCarrier(request.open(), () => {
        if (carriers.get(destination) === fresh) carriers.delete(destination);
      });
      carriers.set(destination, fresh);
      return fresh.lease(request);
    }
  }
}

class SharedCarrier {
  readonly #opening: Promise<Carrier>;
  readonly #onEnd: () => void;
  #carrier: Carrier | undefined;
  readonly #sessions = new Map<string, Promise<SftpClient>>();
  #users = 0;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(opening: Promise<Carrier>, onEnd: () => void) {
    this.#opening = opening;
    this.#onEnd = onEnd;
  }

  get isUsable(): boolean {
    return !this.#ended && this.#carrier?.lost === undefined;
  }

  async lease(request: ShareRequest): Promise<Lease> {
    this.#users++;
    clearTimeout(this.#timer);
    try {
      this.#carrier = await this.#opening;
      return new Lease(this, this.#carrier, request);
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /** The session that all of a kind have in common, since a server takes only so many. */
  async session(carrier: Carrier, kind: string, scope: Scope): Promise<SftpClient> {
    for (;;) {
      scope.signal.throwIfAborted();
      const pending = this.#sessions.get(kind);
      if (!pending) {
        const opening = carrier.openSftp(scope);
        this.#sessions.set(kind, opening);
        return opening;
      }
      const client = await pending.catch(() => undefined);
      if (client && !client.channel.ended) return client;
      if (this.#sessions.get(kind) === pending) this.#sessions.delete(kind);
    }
  }

  async release(carrier: Carrier, lingers: boolean): Promise<void> {
    this.#users--;
    if (this.#users > 0) return;
    if (lingers && carrier.lost === undefined) {
      this.#timer = setTimeout(() => void this.#end(carrier), LINGER_MS).unref();
    } else await this.#end(carrier);
  }

  async #end(carrier: Carrier): Promise<void> {
    this.#forget();
    await carrier.close();
  }

  #forget(): void {
    this.#ended = true;
    this.#onEnd();
  }
}

/** One user's part of a shared carrier. Its first session is the common one; further ones and commands are its own. */
class Lease implements Carrier {
  readonly account: string;
  readonly loginPerSession: boolean;
  readonly execute?: (command: string, scope: Scope) => Promise<RemoteCommand>;
  readonly #shared: SharedCarrier;
  readonly #carrier: Carrier;
  readonly #request: ShareRequest;
  readonly #sessions: SftpClient[] = [];
  readonly #commands = new Set<RemoteCommand>();
  #hasCommon = false;
  #closed: XferError | undefined;

  constructor(sharedCarrier: SharedCarrier, carrier: Carrier, request: ShareRequest) {
    this.#shared = sharedCarrier;
    this.#carrier = carrier;
    this.#request = request;
    this.account = carrier.account;
    this.loginPerSession = carrier.loginPerSession;
    if (carrier.execute) this.execute = (command, scope) => this.#execute(command, scope);
  }

  get rttMs(): number {
    return this.#carrier.rttMs ?? 0;
  }

  get lost(): Error | undefined {
    return this.#closed ?? this.#carrier.lost;
  }

  async openSftp(scope: Scope): Promise<SftpClient> {
    if (this.lost) throw this.lost;
    if (!this.#hasCommon) {
      this.#hasCommon = true;
      return this.#shared.session(this.#carrier, this.#request.kind, scope);
    }
    const session = await this.#carrier.openSftp(scope);
    this.#sessions.push(session);
    if (this.#closed) session.end();
    return session;
  }

  async #execute(text: string, scope: Scope): Promise<RemoteCommand> {
    if (this.lost) throw this.lost;
    const command = await (this.#carrier as Required<Carrier>).execute(text, scope);
    this.#commands.add(command);
    command.stream.once('close', () => this.#commands.delete(command));
    if (this.#closed) command.stream.destroy();
    return command;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = new XferError('DISCONNECTED', `connection to ${this.account}: it was closed`);
    for (const session of this.#sessions) session.end();
    for (const { stream } of this.#commands) stream.destroy();
    await this.#shared.release(this.#carrier, this.#request.lingers);
  }
}
