/** Connections to a server that is known by its key, in place of an authority that vouches for it. */
import type { X509Certificate } from 'node:crypto';
import { Agent, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { XferError } from '../../errors.js';
import { isPinned, type Pin, pinOf } from './pins.js';

type Connected = (error: Error | null, stream: Duplex) => void;

/**
 * Gives away a connection whose server has shown a certificate that one of the pins fits, by a handshake that proves that
 * it holds the key. Until then nothing of a request leaves; any other server gets none of it, and the request fails with
 * DENIED.
 */
export class PinnedAgent extends Agent {
  readonly #pins: readonly Pin[];

  constructor(pins: readonly Pin[]) {
    // A session that is taken up again shows no certificate.
    super({ keepAlive: true, maxCachedSessions: 0 });
    this.#pins = pins;
  }

  override createConnection(options: RequestOptions, connected?: Connected): Duplex {
    const socket = super.createConnection({ ...options, rejectUnauthorized: false }, connected);
    if (!(socket instanceof TLSSocket))
      throw new XferError('INTERNAL', 'connect: a pin was asked for, and TLS is not spoken');
    // What is written meanwhile stays in its buffer.
    socket.cork();
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      if (certificate && isPinned(certificate, this.#pins)) socket.uncork();
      else socket.destroy(wrongPin(`connect https://${bracketed(options.host ?? '')}:${options.port}`, certificate));
    });
    return socket;
  }
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function wrongPin(what: string, certificate: X509Certificate | undefined): XferError {
  const shown = certificate ? `has the pin ${pinOf(certificate)}, which was not given` : 'shows no certificate';
  return new XferError('DENIED', `${what}: the server there ${shown}`, {
    hint: 'compare it with what your server printed: where they differ, somebody else answers in its place',
  });
}
