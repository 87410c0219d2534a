/** An HTTPS server that hears plain HTTP on its port too: the first byte of a connection says which of them it is. */
import type { ServerOptions } from 'node:http';
import { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { XferError } from '../../../../errors.js';
import type { TlsIdentity } from './tls-identity.js';

/** The type of a TLS record that begins a handshake (RFC 8446, 5.1). No method of HTTP begins with it. */
const HANDSHAKE = 0x16;

type Take = (this: Server, socket: Socket) => void;

/**
 * A server whose requests come over TLS, or in the clear, which `isEncrypted` tells. A connection must send its first byte
 * and end its handshake within `handshakeTimeoutMs` each. USAGE where key and certificate cannot be used.
 */
export function createTlsServer(settings: ServerOptions, identity: TlsIdentity, handshakeTimeoutMs: number): Server {
  return taken(() => new TlsServer(settings, identity, handshakeTimeoutMs));
}

function taken<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new XferError('USAGE', `serve: certificate and key cannot be used: ${reason}`, { cause: error });
  }
}

/** What of a TLS server goes with its certificate. */
function contextOf({ cert, key, passphrase }: TlsIdentity): SecureContextOptions {
  return { cert, key, ...(passphrase === undefined ? {} : { passphrase }), minVersion: 'TLSv1.2' };
}

/** Made by `createTlsServer`. */
export class TlsServer extends Server {
  /** Every connection, encrypted or not, as it was accepted. */
  readonly #accepted = new Set<Socket>();
  /** Those that sent nothing yet. */
  readonly #silent = new Set<Socket>();
  readonly #silenceMs: number;
  #cert: string;

  constructor(settings: ServerOptions, identity: TlsIdentity, handshakeTimeoutMs: number) {
    const handshake = { ALPNProtocols: ['http/1.1'], handshakeTimeout: handshakeTimeoutMs };
    super({ ...settings, ...contextOf(identity), ...handshake });
    this.#cert = identity.cert;
    this.#silenceMs = handshakeTimeoutMs;
    // Connections may be injected by emitting 'connection'; whoever listens to it now begins the handshake.
    const encrypted = this.listeners('connection') as Take[];
    this.removeAllListeners('connection');
    this.on('connection', (socket: Socket) => this.#hear(socket, encrypted));
  }

  /** New connections are shown this certificate. USAGE where it cannot be used; the last one stays then. */
  serveWith(identity: TlsIdentity): void {
    // A new context forgets the sessions that clients could take up again.
    if (identity.cert === this.#cert) return;
    taken(() => this.setSecureContext(contextOf(identity)));
    this.#cert = identity.cert;
  }

  #hear(socket: Socket, encrypted: readonly Take[]): void {
    const fail = (): void => void socket.destroy();
    const look = (): void => {
      const first: Buffer | null = socket.read(1);
      if (first === null) return;
      socket.off('readable', look).off('timeout', fail).setTimeout(0);
      this.#silent.delete(socket);
      socket.unshift(first);
      if (first[0] === HANDSHAKE) for (const take of encrypted) take.call(this, socket);
      // What a connection is once its handshake is done: from here on it is HTTP.
      else this.emit('secureConnection', socket);
    };
    this.#accepted.add(socket);
    this.#silent.add(socket);
    socket.once('close', () => {
      this.#accepted.delete(socket);
      this.#silent.delete(socket);
    });
    socket.on('error', fail).on('timeout', fail).setTimeout(this.#silenceMs);
    socket.on('readable', look);
  }

  override closeIdleConnections(): void {
    for (const socket of this.#silent) socket.destroy();
    super.closeIdleConnections();
  }

  /** Those in the middle of a handshake, too. */
  override closeAllConnections(): void {
    super.closeAllConnections();
    for (const socket of this.#accepted) socket.destroy();
  }
}
