/** A certificate that changes while it is served with. */
import type { Server } from 'node:net';
import { withinTimerMs } from '../../../../concurrency/longest-timer.js';
import { toXferError } from '../../../../errors.js';
import type { TlsIdentity } from './tls-identity.js';
import { TlsServer } from './tls-server.js';

export interface TlsRenewal {
  /** What to serve with from now on: what it was, or another. */
  read(): Promise<TlsIdentity>;
  readonly everyMs: number;
}

/**
 * Asks again and again until the signal is aborted, and gives new connections what comes back; those under way keep what
 * they have. Where that fails or TLS does not take it, the last one is kept, and each new reason is told once.
 */
export function renewTls(
  servers: readonly Server[],
  { read, everyMs }: TlsRenewal,
  onNotice: (line: string) => void,
  signal: AbortSignal,
): void {
  let told = '';
  const renew = async (): Promise<void> => {
    try {
      const identity = await read();
      for (const server of servers) if (server instanceof TlsServer && !signal.aborted) server.serveWith(identity);
      told = '';
    } catch (error) {
      const { message } = toXferError(error, 'certificate');
      if (message !== told) onNotice(`${message}; the last certificate is served on`);
      told = message;
    } finally {
      again();
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const again = (): void => {
    if (!signal.aborted) timer = setTimeout(renew, withinTimerMs(everyMs)).unref();
  };
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  again();
}
