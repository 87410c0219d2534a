/** The bytes of one response at the rate of its client. */
import type { FairLimit } from './fair-limit.js';

export interface Pace {
  readonly limit: FairLimit;
  /** Address of the client. */
  readonly client: string;
}

/** The same bytes in small pieces, each when it may go, and `onPiece` told of its length. Rejects with the signal's reason. */
export async function* paced(
  chunks: AsyncIterable<Buffer>,
  { limit, client }: Pace,
  onPiece: (bytes: number) => void,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { pieceBytes } = limit;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      const piece = chunk.subarray(at, at + pieceBytes);
      await limit.take(client, piece.length, signal);
      onPiece(piece.length);
      yield piece;
    }
  }
}
