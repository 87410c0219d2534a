/**
 * Makes a connection sealed: TLS 1.3 (RFC 8446) with a pre-shared key and X25519, so that who lacks the key learns nothing,
 * and who finds it later cannot read what was recorded.
 */

import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { type ConnectionOptions, connect, createServer, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { onAbort } from '../../../concurrency/on-abort.js';
import { systemCode, toXferError, XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';
import { pskIdentity, pskOf, type SealedRole } from './key.js';
import { cutUnsealed, expectMagic, MAGIC } from './magic.js';

/** For a whole handshake: who is that slow, or says nothing, makes room for others. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** RFC 8446, section 5.1. */
const RECORD_HEADER_BYTES = 5;

const KEY_HINT = 'copy the key again from where xfer printed it; one end must send, and the other receive';

/** The only suite with AES in hardware that Node's pre-shared keys, which are bound to SHA-256, can have. */
const TLS: SecureContextOptions = {
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256',
  ecdhCurve: 'X25519',
  // Tickets are a second kind of pre-shared key, and nothing here resumes a TLS session.
  secureOptions: constants.SSL_OP_NO_TICKET,
};

export interface Secured {
  readonly socket: TLSSocket;
  /** The time that a message took there and back. */
  readonly roundTripMs: number;
}

/**
 * Seals a connection that this end made, as an end of `role`. DENIED where the keys differ, PROTOCOL where the other end is
 * not sealed, TIMED_OUT where it says nothing for ten seconds, DISCONNECTED. The socket is freed on failure.
 */
export function sealConnected(
  socket: Socket,
  key: Uint8Array,
  role: SealedRole,
  label: string,
  scope: Scope,
): Promise<Secured> {
  const psk = { psk: pskOf(key, role), identity: pskIdentity(role) };
  socket.write(MAGIC);
  const options: ConnectionOptions = {
    ...TLS,
    socket,
    pskCallback: () => psk,
    // There is no certificate: the key is the identity.
    checkServerIdentity: () => undefined,
  };
  const startMs = performance.now();
  const secured = connect(options);
  return settled({ label, startMs, scope, cut: () => secured.destroy() }, (done, failed) => {
    secured.once('secureConnect', () => done({ socket: secured, roundTripMs: performance.now() - startMs }));
    // OpenSSL finds nothing wrong with bytes that end before it has looked at them.
    const isShort = () => socket.bytesRead > 0 && socket.bytesRead < RECORD_HEADER_BYTES;
    secured.on('error', (error) => failed(isShort() ? notSealed(label, error) : error));
    secured.once('close', () => failed(closed(label)));
  });
}

/**
 * Seals a connection that was accepted, paused, from an end of `role`. Rejects as `sealConnected`, and with PROTOCOL for
 * one that does not begin with the magic, which is told so in words.
 */
export async function sealAccepted(
  socket: Socket,
  key: Uint8Array,
  role: SealedRole,
  label: string,
  scope: Scope,
): Promise<Secured> {
  const startMs = performance.now();
  // From one step to the next nobody else listens.
  socket.on('error', () => {});
  socket.setNoDelay(true);
  const terms = { label, startMs, scope };
  await settled(
    { ...terms, cut: () => cutUnsealed(socket) },
    (done, failed) => void expectMagic(socket, label).then(done, failed),
  );
  const psk = pskOf(key, role);
  const identity = pskIdentity(role);
  // A server of its own for each connection tells whose handshake failed; it never listens.
  const server = createServer({ ...TLS, pskCallback: (_socket, name) => (name === identity ? psk : null) });
  const helloMs = performance.now();
  return settled({ ...terms, cut: () => socket.destroy() }, (done, failed) => {
    server.once('secureConnection', (secured: TLSSocket) => {
      secured.on('error', () => {});
      done({ socket: secured, roundTripMs: performance.now() - helloMs });
    });
    server.once('tlsClientError', failed);
    socket.once('close', () => failed(closed(label)));
    server.emit('connection', socket);
  });
}

interface StepTerms {
  readonly label: string;
  /** When the handshake began. */
  readonly startMs: number;
  readonly scope: Scope;
  /** Frees the connection. */
  cut(): void;
}

/** Waits for one step of a handshake, for as long as a whole one may take. */
function settled<T>(
  { label, startMs, scope: { signal }, cut }: StepTerms,
  step: (done: (value: T) => void, failed: (error: Error) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let ended = false;
    const settle = (act: () => void) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      free();
      act();
    };
    const fail = (error: unknown) =>
      settle(() => {
        if (!(error instanceof XferError && error.code === 'PROTOCOL')) cut();
        reject(error === signal.reason && signal.aborted ? error : explain(error, label));
      });
    const leftMs = startMs + HANDSHAKE_TIMEOUT_MS - performance.now();
    const timer = setTimeout(() => fail(silent(label)), Math.max(0, leftMs));
    const free = onAbort(signal, () => fail(signal.reason));
    if (!ended) step((value) => settle(() => resolve(value)), fail);
  });
}

function silent(label: string): XferError {
  return new XferError('TIMED_OUT', `connection ${label}: no sealed answer within ${HANDSHAKE_TIMEOUT_MS / 1000} s`, {
    hint: 'is the other end xfer, waiting with a key?',
  });
}

function closed(label: string): XferError {
  return new XferError('DISCONNECTED', `connection ${label}: closed before it was sealed`);
}

function notSealed(label: string, cause: unknown): XferError {
  return new XferError('PROTOCOL', `connection ${label}: the other end is not sealed, so nothing was sent`, {
    hint: 'start xfer there with the same key',
    cause,
  });
}

/** What OpenSSL's words mean to a person. */
function explain(error: unknown, label: string): XferError {
  if (error instanceof XferError) return error;
  const code = systemCode(error) ?? '';
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_LAYER|HTTP_REQUEST/.test(code)) {
    return notSealed(label, error);
  }
  // What each end is told where the other one has another key (in the words of OpenSSL 3.0, and of 3.5), or none, or the same role.
  if (/BINDER_DOES_NOT_VERIFY|ILLEGAL_PARAMETER|DECRYPT_ERROR|NO_SUITABLE_SIGNATURE|HANDSHAKE_FAILURE/.test(code)) {
    return new XferError('DENIED', `connection ${label}: the key does not match`, { hint: KEY_HINT, cause: error });
  }
  return brokenLine(error, label);
}

/** The error of a connection that ended: what TLS finds wrong was changed on its way, and goes right another time. */
export function brokenLine(error: unknown, label: string): XferError {
  if (!systemCode(error)?.startsWith('ERR_SSL_')) return toXferError(error, `connection ${label}`);
  return new XferError('DISCONNECTED', `connection ${label}: what came is not what was sent`, { cause: error });
}
