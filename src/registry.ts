/** Scheme -> transport, imported only when it is used. */
import { XferError } from './errors.js';
import type { Transport } from './transport.js';

type Load = () => Promise<{ readonly transport: Transport }>;

const TRANSPORTS: Record<string, Load> = {
  file: () => import('./transports/local/index.js'),
  stdio: () => import('./transports/local/stdio.js'),
  memory: () => import('./transports/memory/index.js'),
  sftp: () => import('./transports/ssh/index.js'),
  http: () => import('./transports/http/index.js'),
  https: () => import('./transports/http/index.js'),
  tcp: () => import('./transports/tcp/index.js'),
};

/** The transport of a canonical scheme. UNSUPPORTED where there is none. */
export async function loadTransport(scheme: string): Promise<Transport> {
  const load = Object.hasOwn(TRANSPORTS, scheme) ? TRANSPORTS[scheme] : undefined;
  if (load) return (await load()).transport;
  throw new XferError('UNSUPPORTED', `scheme ${scheme}: no transport speaks it`, {
    hint: `known schemes: ${Object.keys(TRANSPORTS).join(', ')}`,
  });
}
