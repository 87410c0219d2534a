/** Encrypted connections: to a server that authorities vouch for, or one that is known by its key; directly or by a proxy. */
import type { X509Certificate } from 'node:crypto';
import { Agent, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { XferError } from '../../../errors.js';
import { isPinned, type Pin, pinOf } from '../pins.js';
import { openTunnel, type TunnelTerms } from './tunnel.js';

type Connected = (error: Error | null, stream: Duplex) => void;

export interface SecureTerms {
  /** Any of them will do, in place of authorities; none: authorities decide. */
  readonly pins: readonly Pin[];
  readonly authorities: readonly string[] | undefined;
  readonly tunnel: TunnelTerms | undefined;
}

/**
 * With pins it gives away only a connection whose server has shown a certificate that one of them fits, by a handshake that
 * proves that it holds the key. Until then nothing of a request leaves; any other server gets none of it, and the request
 * fails with DENIED.
 */
export class SecureAgent extends Agent {
  readonly #pins: readonly Pin[];
  readonly #tunnel: TunnelTerms | undefined;

  constructor({ pins, authorities, tunnel }: SecureTerms) {
    // A session that is taken up again shows no certificate.
    const sessions = pins.length > 0 ? { maxCachedSessions: 0 } : {};
    super({ keepAlive: true, ...sessions, ...(authorities ? { ca: [...authorities] } : {}) });
    this.#pins = pins;
    this.#tunnel = tunnel;
  }

  override createConnection(options: RequestOptions, connected?: Connected): Duplex | undefined {
    if (!this.#tunnel) return this.#secured(options, connected);
    openTunnel(String(options.host), Number(options.port), this.#tunnel).then(
      (socket) => connected?.(null, this.#secured({ ...options, socket } as RequestOptions)),
      // Whom it is given to looks at the error alone.
      (error: Error) => connected?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  }

  #secured(options: RequestOptions, connected?: Connected): Duplex {
    if (this.#pins.length === 0) return super.createConnection(options, connected) as Duplex;
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
