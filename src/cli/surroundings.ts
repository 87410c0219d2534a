/** What a command sees of the process it runs in, so that a test can give it another. */
import type { Readable, Writable } from 'node:stream';
import type { MdnsPlace } from '../mdns/options.js';

export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };
export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };

export interface Surroundings {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly homeDirectory: string;
  readonly version: string;
  /** Where multicast DNS is spoken, in place of where the standard says. */
  readonly mdns?: MdnsPlace;
  /** Descriptors of listening sockets that a service manager handed down. */
  readonly inheritedSockets?: readonly number[];
  /** Aborted, with a `Stopped` as the reason, when a signal asks the command to end. */
  readonly signal: AbortSignal;
  /** Does what Ctrl-C does, for a prompt whose terminal does not make the signal. */
  readonly interrupt: () => void;
}
