/** How the end that is connected to knows a sealed connection by its first bytes. */
import type { Socket } from 'node:net';
import { XferError } from '../../../errors.js';

/** The first bytes of the end that connects; random, so that no file starts like it by chance. */
export const MAGIC = Buffer.from('00ea31e8d821e4c7353b61c10528f348', 'hex');

/** Said to one that sent something else, who may be a person with nc. */
export const SEALED_ONLY = 'this port takes sealed transfers only: use xfer, with the key\n';

/** Said to a sealed end, by one that is not; no TLS record begins like it. */
export const PLAIN_ONLY = 'this port takes plain bytes only\n';

/**
 * Waits until the magic came, and leaves what follows it in the socket. PROTOCOL where something else comes, which is then
 * told to who sent it; DISCONNECTED where the other end closes first. The socket must be paused, and is freed on failure.
 */
export async function expectMagic(socket: Socket, label: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      let seen = Buffer.alloc(0);
      const settle = (error?: XferError) => {
        socket.off('readable', look).off('end', gone).off('close', gone).off('error', gone);
        if (error) reject(error);
        else resolve();
      };
      const gone = () => settle(new XferError('DISCONNECTED', `connection ${label}: closed before a word was said`));
      const look = () => {
        const bytes = socket.read() as Buffer | null;
        if (bytes === null) return;
        seen = Buffer.concat([seen, bytes]);
        const known = Math.min(seen.length, MAGIC.length);
        if (!seen.subarray(0, known).equals(MAGIC.subarray(0, known))) settle(plain(label));
        else if (known === MAGIC.length) {
          socket.unshift(seen.subarray(MAGIC.length));
          settle();
        }
      };
      socket.on('readable', look).on('end', gone).on('close', gone).on('error', gone);
    });
  } catch (error) {
    turnAway(socket, error instanceof XferError && error.code === 'PROTOCOL');
    throw error;
  }
}

function plain(label: string): XferError {
  return new XferError('PROTOCOL', `connection ${label}: not sealed, so nothing was taken from it`, {
    hint: 'the other end must be xfer, with the key',
  });
}

/** By a reset, or on a unix socket, which has none, by words: an end that knows nothing of a seal takes a FIN for the end of a file. */
export function cutUnsealed(socket: Socket): void {
  if (socket.destroyed || socket.writableEnded) socket.destroy();
  else if (socket.remotePort === undefined) sayLast(socket, SEALED_ONLY);
  else socket.resetAndDestroy();
}

function turnAway(socket: Socket, withWords: boolean): void {
  socket.on('error', () => {});
  if (!withWords || socket.destroyed) {
    cutUnsealed(socket);
    return;
  }
  sayLast(socket, SEALED_ONLY);
}

/**
 * Ends a connection with words, where its direction is still open, and frees it. Reading on for a moment keeps the system
 * from answering with a reset, which would throw away what was said before.
 */
export function sayLast(socket: Socket, words: string): void {
  if (!socket.writableEnded) socket.end(words);
  socket.resume();
  setTimeout(() => socket.destroy(), 500).unref();
}
