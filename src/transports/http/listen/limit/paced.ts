/** The bytes of one response at the rate of its client. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { watchClient } from '../watch-client.js';
import type { FairLimit } from './fair-limit.js';

export interface Pace {
  readonly limit: FairLimit;
  /** Address of the client. */
  readonly client: string;
  /** Aborted with DISCONNECTED when the client has gone. */
  readonly gone: AbortSignal;
}

export function paceOf(limit: FairLimit, client: string, request: IncomingMessage, response: ServerResponse): Pace {
  const gone = new AbortController();
  const unwatch = watchClient(request, response, (error) => gone.abort(error));
  response.once('close', unwatch);
  return { limit, client, gone: gone.signal };
}

/** The same bytes in small pieces, each when it may go. Rejects with DISCONNECTED where the client has gone. */
export async function* paced(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { limit, client, gone }: Pace,
): AsyncGenerator<Uint8Array> {
  const { pieceBytes } = limit;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      const piece = chunk.subarray(at, at + pieceBytes);
      await limit.take(client, piece.length, gone);
      yield piece;
    }
  }
}
