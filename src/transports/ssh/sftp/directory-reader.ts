import { nameFromBytes } from '../../../names.js';
import type { Scope } from '../../../transport.js';
import type { SftpClient } from './client.js';
import { broken } from './codec.js';
import { NEAR_RTT_MS } from './limits.js';
import type { DirectoryItem } from './replies.js';

/** Parts that are asked for ahead, since a server gives about a hundred names at a time: more on a long line. */
const PARTS_AHEAD = 2;
const FAR_PARTS_AHEAD = 16;
/** A directory that never ends is a server's trick; no file system holds this many. */
const MAX_ITEMS = 20_000_000;
/** Of `.` and `..`, which a directory holds once each. */
const MAX_DOTS = 1000;

/** One open directory, read ahead from the moment it is made. */
export class DirectoryReader {
  readonly #client: SftpClient;
  readonly #what: string;
  readonly #scope: Scope;
  readonly #handle: Promise<Buffer>;
  readonly #parts: Promise<DirectoryItem[] | undefined>[] = [];
  #items = 0;
  #dots = 0;
  #emptyParts = 0;
  #closed = false;

  constructor(client: SftpClient, path: Buffer, scope: Scope) {
    this.#client = client;
    this.#what = `list ${nameFromBytes(path)}`;
    this.#scope = scope;
    this.#handle = client.openDirectory(path, scope);
    const ahead = client.rttMs < NEAR_RTT_MS ? PARTS_AHEAD : FAR_PARTS_AHEAD;
    for (let count = 0; count < ahead; count++) this.#ask();
  }

  #ask(): void {
    const part = this.#handle.then((handle) =>
      this.#closed ? undefined : this.#client.readDirectory(handle, this.#what, this.#scope),
    );
    part.catch(() => undefined);
    this.#parts.push(part);
  }

  /** The next names, or undefined at the end; the directory is being closed then. NOT_FOUND, DENIED, PROTOCOL. */
  async next(): Promise<DirectoryItem[] | undefined> {
    try {
      const items = await this.#parts.shift();
      if (items) this.#count(items);
      if (items) this.#ask();
      // Whoever waited for the answer would begin the next directory a round trip later.
      else void this.close();
      return items;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  #count(items: readonly DirectoryItem[]): void {
    this.#items += items.length;
    this.#dots += items.filter(({ name }) => isDots(name)).length;
    this.#emptyParts = items.length === 0 ? this.#emptyParts + 1 : 0;
    const endless = this.#emptyParts > 1 || this.#items > MAX_ITEMS || this.#dots > MAX_DOTS;
    if (endless) throw broken(`${this.#what}: the directory does not end`);
  }

  /** Frees the handle. May be called twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#parts);
    await this.#handle.then((handle) => this.#client.close(handle)).catch(() => undefined);
  }
}

/** Whether a name is `.` or `..`. */
export function isDots(name: Buffer): boolean {
  return name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));
}
