/** What a client is told that speaks plain HTTP where TLS is spoken. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { percentEncoded } from '../../percent-encoded.js';
import { refuse } from '../refuse.js';

/** Where plain HTTP is asked for when no port is named. */
const PLAIN_PORT = 80;

export function isEncrypted(request: IncomingMessage): boolean {
  return request.socket instanceof TLSSocket;
}

/**
 * Sends the client to the same path by https, on the port where it is. Not for good: what serves here tomorrow may speak
 * plain HTTP. 400 where it named no host that an address can hold.
 */
export function redirectToTls(request: IncomingMessage, response: ServerResponse): void {
  const location = encryptedUrl(request.headers.host, request.url ?? '');
  // Nothing else that is sent here in the clear is read.
  const fields = { Connection: 'close' };
  if (location === undefined) refuse(request, response, 400, fields);
  else refuse(request, response, 307, { ...fields, Location: location });
}

/** The URL by https of what was asked for by http. Undefined where host or target are none. */
export function encryptedUrl(host: string | undefined, target: string): string | undefined {
  const [, name, port = String(PLAIN_PORT)] =
    /^([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?$/i.exec(host ?? '') ?? [];
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  if (name === undefined || !path.startsWith('/') || !URL.canParse(`https://${name}:${port}/`)) return undefined;
  // A character of a target stands for one byte.
  const encoded = path.replace(/[^\x21-\x7e]/g, (byte) => percentEncoded(byte.charCodeAt(0)));
  return `https://${name}:${port}${encoded}`;
}
