/** How much of what was written the other end has not acknowledged, where the system says so without a system call. */
import { readFileSync } from 'node:fs';

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
/** Larger tables are those of a busy server, where the answer is not worth the time. */
const LARGEST_TABLE = 4 * 1024 * 1024;

/**
 * Bytes in the kernel's send queue of a connection (proc(5), /proc/net/tcp: `tx_queue`); 0 where it cannot be told: other
 * systems, unix sockets, or a connection that is gone.
 */
export function queueLength(localPort: number | undefined, remotePort: number | undefined): number {
  if (process.platform !== 'linux' || localPort === undefined || remotePort === undefined) return 0;
  const wanted = new RegExp(`:${hexPort(localPort)} [0-9A-F]+:${hexPort(remotePort)} [0-9A-F]{2} ([0-9A-F]{8}):`);
  for (const table of TABLES) {
    const queued = wanted.exec(readTable(table))?.[1];
    if (queued !== undefined) return Number.parseInt(queued, 16);
  }
  return 0;
}

function readTable(path: string): string {
  try {
    const text = readFileSync(path, 'latin1');
    return text.length > LARGEST_TABLE ? '' : text;
  } catch {
    return '';
  }
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
