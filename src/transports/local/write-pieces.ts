/** Several pieces in one call, however many calls the system makes of it. */
import { writev } from 'node:fs';
import { promisify } from 'node:util';

const writeAll = promisify(writev);

/** Writes all of `pieces` from `start` on, at the descriptor's own position where that is absent. Rejects with the system's error. */
export async function writePieces(
  descriptor: number,
  pieces: readonly Uint8Array[],
  start: number | undefined,
  onWritten?: (bytes: number) => void,
): Promise<void> {
  let left = pieces;
  let at = start;
  while (left.length > 0) {
    const { bytesWritten } = await writeAll(descriptor, left, at);
    if (at !== undefined) at += bytesWritten;
    left = dropBytes(left, bytesWritten);
    onWritten?.(bytesWritten);
  }
}

/** What is left of the chunks once the first `bytes` were written. */
function dropBytes(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let dropped = bytes;
  return chunks.flatMap((chunk) => {
    const taken = Math.min(dropped, chunk.length);
    dropped -= taken;
    return taken === chunk.length ? [] : [chunk.subarray(taken)];
  });
}
