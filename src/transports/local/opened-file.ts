/** One regular file, held open for whoever shares it. */
import { type BigIntStats, fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { toXferError, XferError } from '../../errors.js';
import type { ByteRange, Entry, OpenFile } from '../../transport.js';
import { entryFrom } from './attributes.js';
import { placeOfDescriptor } from './confined.js';
import { FileReader } from './file-reader.js';
import { checkVersion } from './small-file.js';

export interface OpenedFileOptions {
  readonly handle: FileHandle;
  /** What the open descriptor is. */
  readonly stats: BigIntStats;
  readonly path: string;
  readonly label: string;
  /** Told of all bytes of the file, once they were read together and were surely those of `stats`. */
  readonly onWhole?: (bytes: Buffer) => void;
}

export class OpenedFile implements OpenFile {
  readonly entry: Entry;
  readonly #options: OpenedFileOptions;
  #closing: Promise<void> | undefined;

  constructor(options: OpenedFileOptions) {
    this.#options = options;
    this.entry = entryFrom(options.path, 'file', options.stats);
  }

  look(): Entry {
    const { handle, path, label } = this.#options;
    try {
      return entryFrom(path, 'file', fstatSync(handle.fd, { bigint: true }));
    } catch (error) {
      throw toXferError(error, `look at ${label}`);
    }
  }

  read({ start, end }: ByteRange): Readable {
    const { handle, label, stats } = this.#options;
    return new FileReader({ handle, label, start, end: end ?? Number(stats.size) });
  }

  async readAt(target: Uint8Array, from: number): Promise<number> {
    const { handle, label } = this.#options;
    try {
      return (await handle.read(target, 0, target.length, from)).bytesRead;
    } catch (error) {
      throw toXferError(error, `read ${label}`);
    }
  }

  async readWhole(): Promise<Buffer> {
    const { handle, label, onWhole } = this.#options;
    const bytes = Buffer.allocUnsafeSlow(this.entry.size as number);
    for (let at = 0; at < bytes.length; ) {
      const got = await this.readAt(bytes.subarray(at), at);
      if (got === 0) throw new XferError('TRUNCATED', `read ${label}: the file ends at byte ${at}`);
      at += got;
    }
    checkVersion(this.entry, await handle.stat({ bigint: true }), label);
    onWhole?.(bytes);
    return bytes;
  }

  place(): string | undefined {
    return placeOfDescriptor(this.#options.handle.fd);
  }

  close(): Promise<void> {
    this.#closing ??= this.#options.handle.close();
    return this.#closing;
  }
}
