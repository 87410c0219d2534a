import type { SftpClient } from './sftp-client.js';

/** sshd takes 10 sessions on a connection by default; other uses of the connection keep some. */
const MAX_SESSIONS = 4;
/** Requests under way on the least busy session that make another worth its start. */
const BUSY_REQUESTS = 200;

/**
 * Several sftp sessions on one connection: each is a process of its own on the server, and has a window of its own.
 * Another is opened when all are busy, until the server takes no more.
 */
export class SessionPool {
  readonly first: SftpClient;
  readonly #sessions: SftpClient[];
  readonly #open: ((signal: AbortSignal) => Promise<SftpClient>) | undefined;
  readonly #stop = new AbortController();
  #opening = false;

  /** `open` starts one more; absent: the first is all there is. */
  constructor(first: SftpClient, open?: (signal: AbortSignal) => Promise<SftpClient>) {
    this.first = first;
    this.#sessions = [first];
    this.#open = open;
  }

  /** The least busy session that still works; the first where none does, whose error then tells why. */
  readonly pick = (): SftpClient => {
    const working = this.#sessions.filter(({ channel }) => !channel.ended);
    const [least] = working.sort((one, other) => one.channel.pendingCount - other.channel.pendingCount);
    if (!least) return this.first;
    if (least.channel.pendingCount >= BUSY_REQUESTS) this.#grow();
    return least;
  };

  #grow(): void {
    if (!this.#open || this.#opening || this.#sessions.length >= MAX_SESSIONS) return;
    this.#opening = true;
    this.#open(this.#stop.signal).then(
      (session) => {
        this.#sessions.push(session);
        this.#opening = false;
      },
      // A server that refuses one more is not asked again.
      () => undefined,
    );
  }

  /** Opens no more; the sessions end with their connection. */
  stop(): void {
    this.#stop.abort(new Error('the sessions are closed'));
  }
}
