import { Readable } from 'node:stream';
import { XferError } from '../../../../errors.js';

/**
 * The bytes of `stream`, of which there are `length`. Fails with TRUNCATED where there are fewer, and with PROTOCOL,
 * before the first of them is given, where there are more. Destroying it destroys `stream`.
 */
export function exactly(stream: Readable, length: number): Readable {
  return Readable.from(counted(stream, length), { objectMode: false });
}

async function* counted(stream: Readable, length: number): AsyncGenerator<Buffer> {
  let left = length;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    left -= chunk.length;
    if (left < 0) throw new XferError('PROTOCOL', `send: more than the ${length} bytes that were announced`);
    yield chunk;
  }
  if (left > 0)
    throw new XferError('TRUNCATED', `send: ${left} of the ${length} bytes that were announced are missing`);
}
