/** What raw TCP may be told. */
import type { OpenOptions } from '../../transport.js';

/** Where one end of a connection is. */
export interface TcpAddress {
  /** `''` for a unix socket. */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** Of a unix socket, or the name of a named pipe of Windows; absent at an end that has none. */
  readonly path?: string;
}

/** What went over a connection, once its end is known to be in order. */
export interface Passed {
  readonly bytes: number;
  /** In lower-case hex; absent where computing it would have held the bytes up. */
  readonly sha256?: string;
}

export interface TcpOptions extends OpenOptions {
  /** How long to wait for a connection to be made; 30,000 where absent. Accepting waits for ever. */
  readonly connectTimeoutMs?: number;
  /** The longest silence of the other end, bytes that it does not take included. Absent: for ever. */
  readonly idleTimeoutMs?: number;
  /** How long a sender waits, after its last byte, for the other end to close; 8,000 where absent. */
  readonly finTimeoutMs?: number;
  /**
   * A receiver closes its own direction after this long without a byte, and receives on. It ends an OpenBSD or
   * traditional nc that was started without -N or -q. Absent: never, since a sender that merely paused may give up.
   */
  readonly finishIdleMs?: number;
  /** Only addresses of this family: of those of a name, and to listen on. */
  readonly family?: 4 | 6;
  /** Address of this machine to connect from. */
  readonly localAddress?: string;
  /** Port of this machine to connect from. */
  readonly localPort?: number;
  /** Addresses and networks that may connect, as in `192.168.1.0/24`; each other one is reset at once. Absent: all. */
  readonly allow?: readonly string[];
  /** How many bytes a receiver must get: TRUNCATED for fewer, CORRUPT for more. */
  readonly expectedBytes?: number;
  /** What the SHA-256 of received bytes must be, in lower-case hex: else CORRUPT. */
  readonly expectedSha256?: string;
  /** Called when a listening end accepts. */
  readonly onListening?: (address: TcpAddress) => void;
  /** Called with the other end's address once there is a connection. */
  readonly onConnection?: (peer: TcpAddress) => void;
  /** Called after a clean end. Absent: no digest is computed, unless one is expected. */
  readonly onPassed?: (passed: Passed) => void;
}
