/** The sessions of one end of a copy: chosen, multiplied while that pays, and opened again after the line was lost. */
import { abortable } from '../../concurrency/on-abort.js';
import { XferError } from '../../errors.js';
import type { DigestAlgorithm, OpenOptions, Parallelism, Scope } from '../../transport.js';
import type { Carrier } from './carriers/carrier.js';
import { farDigest } from './far-digest.js';
import { Gain } from './gain.js';
import type { SftpClient } from './sftp/client.js';
import { CHANNEL_WINDOW_BYTES, NEAR_RTT_MS, type Tuning, WINDOW_BYTES } from './sftp/limits.js';

export interface SessionsOptions {
  /** Connects and logs in; `more` for one beside the first, for which nobody is asked. */
  readonly dial: (scope: Scope, more?: 'more') => Promise<Carrier>;
  /** The host, for notices. */
  readonly label: string;
  readonly onNotice?: OpenOptions['onNotice'];
  readonly tuning?: Tuning;
  /** Channels for one large file; absent: as many as pay. */
  readonly parallel?: number | undefined;
  /** What they carry is read from the server; absent: it is written. */
  readonly reads?: boolean;
  /** A large file is about to come: what its lanes will need is opened together with the first session. */
  readonly large?: boolean;
}

/** Files whose requests are on their way together: on a long line as many as there are, within what the server keeps open. */
const NEAR_FILES = 128;
const FAR_FILES = 2048;
/** On a short line one channel carries all that two processes can; a second helps only where requests pile up. */
const NEAR_LANES = 4;
const MOST_NEAR_SESSIONS = 4;
const BUSY_REQUESTS = 200;
/** A channel takes its window's bytes in a round trip; together they are to take some 350 MiB/s. */
const FAR_BYTES_PER_MS = 350 << 10;
/** A login that was slow for other reasons looks like a long line, if not this long. */
const CLEARLY_FAR_RTT_MS = 20;
/** sshd takes 10 sessions. */
const MOST_CHANNELS = 8;
/** Lanes of a long line. One that reads has two parts under way, and all that came may wait in memory. */
const MOST_READERS = 8;
const MOST_WRITERS = 16;
const MOST_CONNECTIONS = 4;

/** A file of more bytes is large: it goes over several channels. */
export const LARGE_BYTES = 8 << 20;

/** A part of a large file on its way over a session. */
export interface Lane {
  readonly client: SftpClient;
  /** Called when the part is done with; further calls do nothing. */
  leave(): void;
}

/** The session for a part of a large file, of which so much is left. */
export type LaneOpener = (leftBytes: number, scope: Scope) => Promise<Lane>;

interface Session {
  readonly client: SftpClient;
  lanes: number;
  /** When it was last chosen: of equally busy ones the others come first. */
  turn: number;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #stop = new AbortController();
  #carriers: Carrier[];
  #sessions: Session[];
  #users = 1;
  #turn = 0;
  #connecting: Promise<Session> | undefined;
  #widening: Promise<void> | undefined;
  /** No further session, or connection, is worth asking for, or one is on its way. */
  #wideEnough = false;
  #farEnough = false;
  #gain = new Gain();

  private constructor(options: SessionsOptions, carrier: Carrier, client: SftpClient) {
    this.#options = options;
    this.#carriers = [carrier];
    this.#sessions = [this.#session(client)];
  }

  /** Opens the first session on what carries it, which is left open where that fails. The errors of a carrier. */
  static async on(carrier: Carrier, options: SessionsOptions, scope: Scope): Promise<Sessions> {
    const opening = carrier.openSftp(scope);
    const { rttMs = 0 } = carrier;
    const early = options.large && rttMs >= CLEARLY_FAR_RTT_MS ? channelsFor(rttMs, options) - 1 : 0;
    const more = openSeveral(carrier, early, scope);
    const sessions = new Sessions(options, carrier, await opening);
    if (early > 0) sessions.#widening = sessions.#widened(more);
    return sessions;
  }

  /** Connects and opens the first session. The errors of a carrier. */
  static async open(options: SessionsOptions, scope: Scope): Promise<Sessions> {
    const carrier = await options.dial(scope);
    try {
      return await Sessions.on(carrier, options, scope);
    } catch (error) {
      await carrier.close();
      throw error;
    }
  }

  #session(client: SftpClient): Session {
    client.tune(this.#options.tuning ?? {});
    return { client, lanes: 0, turn: 0 };
  }

  get account(): string {
    return this.#first.account;
  }

  get #first(): Carrier {
    return this.#carriers[0] as Carrier;
  }

  get parallelism(): Parallelism {
    const lanes = 2 * this.#channels * this.#lanesAtOnce;
    return {
      filesInFlight: this.#rttMs < NEAR_RTT_MS ? NEAR_FILES : FAR_FILES,
      lanes: this.isLong ? Math.min(lanes, this.#options.reads ? MOST_READERS : MOST_WRITERS) : NEAR_LANES,
    };
  }

  /** Channels for one large file. */
  get #channels(): number {
    return channelsFor(this.#rttMs, this.#options, this.#windowBytes);
  }

  /** One channel of the plain window does not fill the line. */
  get isLong(): boolean {
    return !this.#first.loginPerSession && channelsFor(this.#rttMs, this.#options) > 1;
  }

  /** What one channel takes in a round trip. */
  get #windowBytes(): number {
    return (this.#options.reads && this.#sessions[0]?.client.readWindowBytes) || CHANNEL_WINDOW_BYTES;
  }

  /** Parts of a large file that one channel takes at once. */
  get #lanesAtOnce(): number {
    return Math.max(1, Math.floor(this.#windowBytes / WINDOW_BYTES));
  }

  get #rttMs(): number {
    return this.#sessions[0]?.client.rttMs ?? 0;
  }

  /** The least busy session; after a lost line, one on a new connection. The errors of a carrier. */
  async pick(scope: Scope): Promise<SftpClient> {
    const session = this.#leastBusy(({ client }) => client.channel.pendingCount) ?? (await this.#again(scope));
    const piledUp = session.client.channel.pendingCount >= BUSY_REQUESTS;
    if (piledUp && this.#options.parallel === undefined && this.#sessions.length < MOST_NEAR_SESSIONS) {
      void this.#widen(this.#sessions.length + 1);
    }
    return session.client;
  }

  /** A session for a part of a large file, of which so much is left from there on. The errors of a carrier. */
  async lane(leftBytes: number, scope: Scope): Promise<Lane> {
    if (!this.#leastBusy(() => 0)) await this.#again(scope);
    const [first] = this.#sessions;
    this.expectLarge();
    // What can start at once does not wait for the others.
    const widening = this.#widening;
    if (widening && first && first.lanes >= this.#lanesAtOnce) await abortable(widening, scope);
    this.#lengthen(leftBytes);
    // Not by bytes under way: who has just come here has asked for none yet.
    const session = this.#leastBusy(({ lanes }) => lanes) ?? (await this.#again(scope));
    session.turn = ++this.#turn;
    session.lanes += 1;
    let left = false;
    const leave = () => {
      if (!left) session.lanes -= 1;
      left = true;
    };
    return { client: session.client, leave };
  }

  /** A large file is about to come: opens what its lanes will need. */
  expectLarge(): void {
    void this.#widen(this.#channels);
  }

  /** The far side's own digest of a file, in lower-case hex; undefined where it has no program for it. */
  async farDigest(path: Buffer, algorithm: DigestAlgorithm, scope: Scope): Promise<string | undefined> {
    if (this.#first.loginPerSession) return undefined;
    const absolute = await (await this.pick(scope)).realpath(path, scope);
    return farDigest(this.#first, absolute, algorithm, scope);
  }

  #leastBusy(load: (session: Session) => number): Session | undefined {
    let least: Session | undefined;
    let leastLoad = 0;
    for (const session of this.#sessions) {
      if (session.client.channel.ended) continue;
      const own = load(session);
      if (least && (own > leastLoad || (own === leastLoad && session.turn >= least.turn))) continue;
      [least, leastLoad] = [session, own];
    }
    return least;
  }

  /** Opens sessions on the first connection up to a number in all, as far as the server takes them. */
  #widen(count: number): Promise<void> {
    if (this.#wideEnough || this.#sessions.length >= count || this.#first.loginPerSession) return Promise.resolve();
    const scope = { signal: this.#stop.signal };
    this.#widening ??= this.#widened(openSeveral(this.#first, count - this.#sessions.length, scope));
    return this.#widening;
  }

  async #widened(opening: Promise<SftpClient | undefined>[]): Promise<void> {
    const opened = await this.#add(opening);
    if (opened === undefined) return;
    this.#wideEnough ||= !opened;
    this.#widening = undefined;
  }

  /**
   * Resolves with whether all were opened; undefined where the first connection was replaced meanwhile. A server that
   * refuses one is content with fewer.
   */
  async #add(opening: Promise<SftpClient | undefined>[]): Promise<boolean | undefined> {
    const first = this.#first;
    const opened = await Promise.all(opening);
    if (first !== this.#first) return undefined;
    for (const client of opened) if (client) this.#sessions.push(this.#session(client));
    return opened.every(Boolean);
  }

  /** On a long line, another connection each second for as long as that makes the copy faster. */
  #lengthen(leftBytes: number): void {
    if (this.#farEnough || this.#options.parallel !== undefined || !this.isLong) return;
    const faster = this.#gain.judge(this.#bytesMoved, leftBytes);
    if (faster === undefined) return;
    this.#farEnough = !faster || this.#carriers.length >= MOST_CONNECTIONS;
    if (!this.#farEnough) void this.#connectOneMore();
  }

  get #bytesMoved(): number {
    return this.#sessions.reduce((sum, { client }) => sum + client.bytesMoved, 0);
  }

  async #connectOneMore(): Promise<void> {
    this.#farEnough = true;
    const first = this.#first;
    const { signal } = this.#stop;
    try {
      const carrier = await this.#options.dial({ signal }, 'more');
      // Those that it was to join are gone.
      if (signal.aborted || first !== this.#first) return await carrier.close();
      this.#carriers.push(carrier);
      const opened = await this.#add(openSeveral(carrier, this.#channels, { signal }));
      if (opened === undefined) return;
      this.#farEnough = !opened;
      this.#gain.restart(this.#bytesMoved);
    } catch {
      // A server that takes no more logins leaves us those we have.
    }
  }

  /** Connects again, once for all who wait: one who gives up leaves it to the others. */
  #again(scope: Scope): Promise<Session> {
    this.#connecting ??= this.#reconnect().finally(() => {
      this.#connecting = undefined;
    });
    this.#connecting.catch(() => undefined);
    return abortable(this.#connecting, scope);
  }

  async #reconnect(): Promise<Session> {
    const scope = { signal: this.#stop.signal };
    const { dial, label, onNotice } = this.#options;
    if (!scope.signal.aborted) onNotice?.(`${label}: the connection was lost; connecting again`, this.#whyLost);
    const carrier = await dial(scope);
    const session = await this.#firstOn(carrier, scope);
    const lost = this.#carriers;
    this.#carriers = [carrier];
    this.#sessions = [session];
    this.#widening = undefined;
    this.#wideEnough = false;
    this.#farEnough = false;
    this.#gain = new Gain();
    for (const old of lost) void old.close();
    return session;
  }

  async #firstOn(carrier: Carrier, scope: Scope): Promise<Session> {
    try {
      return this.#session(await carrier.openSftp(scope));
    } catch (error) {
      await carrier.close();
      throw error;
    }
  }

  /** What all that was under way over them failed with. */
  get #whyLost(): XferError | undefined {
    return this.#sessions[0]?.client.channel.ended;
  }

  /** One more user, who will close them too; false where they are closed already. */
  join(): boolean {
    if (this.#users === 0) return false;
    this.#users += 1;
    return true;
  }

  /** Ends all sessions and connections, where the last user closes them. Called once by each. */
  async close(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#stop.abort(new XferError('DISCONNECTED', `connection to ${this.#options.label}: it was closed`));
    await this.#connecting?.catch(() => undefined);
    await Promise.all(this.#carriers.map((carrier) => carrier.close()));
  }
}

/** Channels for one large file. */
function channelsFor(rttMs: number, { parallel }: SessionsOptions, windowBytes = CHANNEL_WINDOW_BYTES): number {
  if (parallel !== undefined) return parallel;
  return rttMs < NEAR_RTT_MS ? 1 : Math.min(MOST_CHANNELS, Math.ceil((rttMs * FAR_BYTES_PER_MS) / windowBytes));
}

/** Further sessions; undefined for each that the server refuses. */
function openSeveral(carrier: Carrier, count: number, scope: Scope): Promise<SftpClient | undefined>[] {
  return Array.from({ length: count }, () => carrier.openSftp(scope).catch(() => undefined));
}
