/** How much of what was written the other end has not acknowledged, where the system says so without a system call. */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/** How long a reset may be on its way from an end that closed early: a round trip of a long line. */
export const RESET_GRACE_MS = 200;

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
/** Larger tables are those of a busy server, where the answer is not worth the time. */
const LARGEST_TABLE = 4 * 1024 * 1024;

interface Row {
  /** Bytes in the send queue. */
  readonly queued: number;
  /** The other end's FIN came. */
  readonly peerEnded: boolean;
}

/** `TCP_CLOSE_WAIT` (Linux, tcp_states.h): its FIN came, and ours has not gone. */
const CLOSE_WAIT = '08';

/** What the kernel says of a connection; undefined where it does not: other systems, unix sockets, one that is gone. */
function findRow(localPort: number | undefined, remotePort: number | undefined): Row | undefined {
  if (process.platform !== 'linux' || localPort === undefined || remotePort === undefined) return undefined;
  const wanted = new RegExp(`:${hexPort(localPort)} [0-9A-F]+:${hexPort(remotePort)} ([0-9A-F]{2}) ([0-9A-F]{8}):`);
  for (const table of TABLES) {
    const [, state, queued] = wanted.exec(readTable(table)) ?? [];
    if (queued !== undefined) return { queued: Number.parseInt(queued, 16), peerEnded: state === CLOSE_WAIT };
  }
  return undefined;
}

/** Bytes in the kernel's send queue of a connection (proc(5), /proc/net/tcp: `tx_queue`); 0 where it cannot be told. */
export function queueLength(localPort: number | undefined, remotePort: number | undefined): number {
  return findRow(localPort, remotePort)?.queued ?? 0;
}

const FIRST_LOOK_MS = 1;
const LONGEST_LOOK_MS = 50;

interface Taking {
  /** The other end took some of it. */
  readonly onLess?: () => void;
  /** `peerEnded`: its FIN is here, though the socket may not have said so yet. */
  readonly onTaken: (peerEnded: boolean) => void;
}

/**
 * Calls back once the other end's system has acknowledged all that was written; at once where ours does not say. The answer
 * stops that. FIN is best sent after it: a reset that answers the bytes can then be told from a clean end.
 */
export function whenTaken(socket: Socket, remotePort: number | undefined, { onLess, onTaken }: Taking): () => void {
  let timer: NodeJS.Timeout | undefined;
  let pauseMs = FIRST_LOOK_MS;
  let before = Number.POSITIVE_INFINITY;
  const look = (): void => {
    const { queued: left = 0, peerEnded = false } = findRow(socket.localPort, remotePort) ?? {};
    if (left === 0) {
      onTaken(peerEnded);
      return;
    }
    if (left < before) onLess?.();
    before = left;
    timer = setTimeout(look, pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_LOOK_MS);
  };
  look();
  return () => clearTimeout(timer);
}

/** Tells whether the other end took some of what is unsent since it was last asked. */
export function drainWatch(socket: Socket, remotePort: number | undefined): () => boolean {
  let before = queueLength(socket.localPort, remotePort);
  return () => {
    const left = queueLength(socket.localPort, remotePort);
    // To nothing, too: the other end has had the last of it for no longer than since the look before.
    const drains = left < before;
    before = left;
    return drains;
  };
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
