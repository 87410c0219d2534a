import { Readable } from 'node:stream';
import { XferError } from '../../../../errors.js';

/**
 * The bytes of `stream`; `onChunk` is called for each piece of them. Of `length` bytes, where that is known: fails with
 * TRUNCATED where there are fewer, and with PROTOCOL, before the first of them is given, where there are more. Destroying
 * it destroys `stream`.
 */
export function relayed(stream: Readable, length: number | undefined, onChunk: () => void): Readable {
  return Readable.from(counted(stream, length, onChunk), { objectMode: false });
}

async function* counted(stream: Readable, length: number | undefined, onChunk: () => void): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    onChunk();
    bytes += chunk.length;
    if (length !== undefined && bytes > length) {
      throw new XferError('PROTOCOL', `send: more than the ${length} bytes that were announced`);
    }
    yield chunk;
  }
  if (length === undefined || bytes === length) return;
  throw new XferError('TRUNCATED', `send: ${length - bytes} of the ${length} bytes that were announced are missing`);
}
