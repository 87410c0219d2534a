import { Duplex } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { XferError } from '../../../errors.js';
import type { RemoteCommand } from './carrier.js';

/** A command on one channel of a connection; `lost` tells why the connection ended, where it did. */
export function channelCommand(channel: ClientChannel, lost: () => Error | undefined): RemoteCommand {
  let code: number | null = null;
  channel.on('exit', (status: number | null) => {
    code = status;
  });
  const exitCode = new Promise<number | null>((resolve) => {
    channel.once('close', () => resolve(code));
  });
  return { stream: new ChannelStream(channel, lost), stderr: channel.stderr, exitCode };
}

/** ssh2's channel with the ways of a Node stream: what is pending when it closes fails, and a lost line is no tidy end. */
export class ChannelStream extends Duplex {
  readonly #channel: ClientChannel;

  constructor(channel: ClientChannel, lost: () => Error | undefined) {
    super();
    this.#channel = channel;
    channel.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) channel.pause();
    });
    channel.once('end', () => {
      if (!lost()) this.push(null);
    });
    channel.once('close', () => {
      if (lost()) this.destroy(lost());
      else if (this.readableEnded) this.#leave();
      else this.once('end', () => this.#leave());
    });
    channel.on('error', (error: Error) => this.destroy(error));
  }

  /** ssh2 forgets what was written and did not fit into the channel's window. */
  #leave(): void {
    this.destroy(this.writableLength > 0 ? endedEarly() : undefined);
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#channel.write(chunk, (error) => done(error ? endedEarly(error) : undefined));
  }

  override _final(done: () => void): void {
    this.#channel.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#channel.resume();
    this.#channel.close();
    done(error);
  }
}

function endedEarly(cause?: Error): XferError {
  return new XferError('DISCONNECTED', 'command on the host: it ended early', cause ? { cause } : {});
}
