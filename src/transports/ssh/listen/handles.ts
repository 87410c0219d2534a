/** What a client has open in one session. */
import { XferError } from '../../../errors.js';
import type { Entry, OpenFile } from '../../../transport.js';
import type { SharedEdit } from './drafts.js';

/** A file open for reading, or one that is being changed. */
export interface FileHandle {
  readonly kind: 'file';
  readonly path: string;
  readonly file: OpenFile | undefined;
  readonly edit: SharedEdit | undefined;
  readonly mayRead: boolean;
  readonly mayWrite: boolean;
  /** It was opened to change the file, or to make it. */
  readonly changes: boolean;
  readonly openedMs: number;
  bytesRead: number;
  bytesWritten: number;
}

export interface DirectoryHandle {
  readonly kind: 'directory';
  readonly path: string;
  readonly items: AsyncIterator<Entry>;
  /** Nothing more comes. */
  done: boolean;
}

export type Handle = FileHandle | DirectoryHandle;

export class Handles {
  readonly #most: number;
  readonly #open = new Map<number, Handle>();
  #next = 0;
  #promised = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Opens under a number that no other open handle has. NO_SPACE where as many are open as may be. */
  async add(open: () => Promise<Handle>): Promise<Buffer> {
    if (this.#open.size + this.#promised >= this.#most) throw new XferError('NO_SPACE', 'open: too many open files');
    this.#promised += 1;
    try {
      const handle = await open();
      while (this.#open.has(this.#next)) this.#next = (this.#next + 1) >>> 0;
      const bytes = Buffer.allocUnsafe(4);
      bytes.writeUInt32BE(this.#next);
      this.#open.set(this.#next, handle);
      this.#next = (this.#next + 1) >>> 0;
      return bytes;
    } finally {
      this.#promised -= 1;
    }
  }

  find(bytes: Buffer): Handle | undefined {
    return bytes.length === 4 ? this.#open.get(bytes.readUInt32BE()) : undefined;
  }

  /** Takes one out, to be closed. */
  take(bytes: Buffer): Handle | undefined {
    const handle = this.find(bytes);
    if (handle) this.#open.delete(bytes.readUInt32BE());
    return handle;
  }

  /** Takes all out. */
  takeAll(): Handle[] {
    const all = [...this.#open.values()];
    this.#open.clear();
    return all;
  }
}
