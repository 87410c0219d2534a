/** What carries sessions to an SSH host: ssh2's own connection, the system's ssh, or an sftp server started here. */
import type { Duplex, Readable } from 'node:stream';
import type { Scope } from '../../../transport.js';
import type { SftpClient } from '../sftp/client.js';

export interface Carrier {
  /** Who is logged in where, as a URL without a path: what a resume looks for. */
  readonly account: string;
  /** A further session is a login of its own, which may ask the person again. */
  readonly loginPerSession: boolean;
  /** A round trip, in milliseconds, as the login showed it; absent: unknown. */
  readonly rttMs?: number;
  /** Why it is of no use any more, or undefined. */
  readonly lost: Error | undefined;
  /**
   * A session of the sftp subsystem. UNSUPPORTED where the server has none, DENIED where it takes no more sessions,
   * DISCONNECTED, the signal's reason.
   */
  openSftp(scope: Scope): Promise<SftpClient>;
  /** Starts a command there, as the login shell reads it. DENIED, DISCONNECTED. Absent: none can be started. */
  execute?(command: string, scope: Scope): Promise<RemoteCommand>;
  /** Ends all sessions and the connection. May be called twice. */
  close(): Promise<void>;
}

/** A command that runs on the far side. */
export interface RemoteCommand {
  /** Its standard input and output. Destroying it ends the command. */
  readonly stream: Duplex;
  /** Unchecked: `printable` before it is shown. */
  readonly stderr: Readable;
  /** Settles when it has ended and its output was read: its exit code, or null where a signal or the line ended it. */
  readonly exitCode: Promise<number | null>;
}
