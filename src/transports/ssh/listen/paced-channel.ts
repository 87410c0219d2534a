/** A channel that takes no more than its line does: a client may open a window of any size, and then read nothing. */
import { Duplex } from 'node:stream';
import type { Line } from './outbox.js';

const MOST_WAITING_BYTES = 1 << 20;

export class PacedChannel extends Duplex {
  readonly #channel: Duplex;
  readonly #line: Line;

  /** Ending it does not end the channel, whose exit code is to be sent first. */
  constructor(channel: Duplex, line: Line) {
    super({ highWaterMark: 256 * 1024 });
    this.#channel = channel;
    this.#line = line;
    channel.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) channel.pause();
    });
    channel.on('end', () => this.push(null));
    channel.on('error', (error: Error) => this.destroy(error));
    channel.on('close', () => this.destroy());
  }

  override _read(): void {
    if (this.#channel.isPaused()) this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#channel.write(chunk, () => {
      if (this.#line.writableLength <= MOST_WAITING_BYTES) callback();
      else this.#line.once('drain', () => callback());
    });
  }
}
