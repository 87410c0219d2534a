/** Sessions over carriers that a test makes. */
import type { Carrier } from '#xfer/transports/ssh/carriers/carrier.js';
import { Sessions } from '#xfer/transports/ssh/sessions.js';
import type { SftpClient } from '#xfer/transports/ssh/sftp/client.js';
import type { Tuning } from '#xfer/transports/ssh/sftp/limits.js';

/** A carrier of these sessions, one after the other; then it takes no more. */
export class ReadyCarrier implements Carrier {
  readonly account = 'sftp://test';
  readonly loginPerSession = false;
  lost: Error | undefined;
  closed = false;
  readonly #given: SftpClient[] = [];
  readonly #waiting: SftpClient[];

  constructor(clients: readonly SftpClient[]) {
    this.#waiting = [...clients];
  }

  async openSftp(): Promise<SftpClient> {
    const next = this.#waiting.shift();
    if (!next) throw new Error('no more sessions');
    this.#given.push(next);
    return next;
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const client of this.#given) client.end();
  }
}

/** One session, and no second one. */
export function sessionsOn(client: SftpClient, tuning: Tuning = {}): Promise<Sessions> {
  const scope = { signal: new AbortController().signal };
  return Sessions.open({ dial: async () => new ReadyCarrier([client]), label: 'test', tuning }, scope);
}
