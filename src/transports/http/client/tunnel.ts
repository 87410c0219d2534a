/** A line through a proxy to one host and port: CONNECT (RFC 9110, 9.3.6). */
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Socket } from 'node:net';
import { XferError } from '../../../errors.js';
import type { HttpProxy } from './proxies.js';
import { requestError } from './request-error.js';

export interface TunnelTerms {
  readonly proxy: HttpProxy;
  readonly timeoutMs: number;
  /** Whom the proxy's own certificate may be vouched for by; Node's own where absent. */
  readonly authorities: readonly string[] | undefined;
}

/** A socket that what is written to reaches the host. DENIED, UNREACHABLE, TIMED_OUT, PROTOCOL. */
export function openTunnel(
  host: string,
  port: number,
  { proxy, timeoutMs, authorities }: TunnelTerms,
): Promise<Socket> {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const what = `connect ${place} by proxy ${proxy.label}`;
  return new Promise((resolve, reject) => {
    const asking = (proxy.secure ? secureRequest : plainRequest)({
      method: 'CONNECT',
      host: proxy.host,
      port: proxy.port,
      path: place,
      headers: { host: place, ...(proxy.login === undefined ? {} : { 'proxy-authorization': proxy.login }) },
      agent: false,
      ...(authorities ? { ca: [...authorities] } : {}),
    });
    const late = () => asking.destroy(new XferError('UNREACHABLE', `${what}: no connection in ${timeoutMs} ms`));
    const timer = setTimeout(late, timeoutMs);
    asking.on('connect', (answer: IncomingMessage, socket: Socket, early: Buffer) => {
      clearTimeout(timer);
      const fault = refusal(answer.statusCode ?? 0, early, what);
      if (!fault) return resolve(socket);
      socket.destroy();
      reject(fault);
    });
    asking.on('response', (answer) => asking.destroy(refusal(answer.statusCode ?? 0, Buffer.alloc(0), what)));
    asking.on('error', (error) => {
      clearTimeout(timer);
      reject(requestError(error, what));
    });
    asking.end();
  });
}

/** In TLS the client speaks first, so bytes that come before it are not from the host. */
function refusal(status: number, early: Buffer, what: string): XferError | undefined {
  if (status >= 200 && status < 300) {
    return early.length === 0 ? undefined : new XferError('PROTOCOL', `${what}: bytes came that nobody asked for`);
  }
  if (status === 407) {
    return new XferError('DENIED', `${what}: the proxy wants a login`, {
      hint: 'put user:password@ in front of its host in https_proxy',
    });
  }
  const code = status === 403 ? 'DENIED' : status >= 500 ? 'UNREACHABLE' : 'PROTOCOL';
  return new XferError(code, `${what}: the proxy says ${status}`);
}
