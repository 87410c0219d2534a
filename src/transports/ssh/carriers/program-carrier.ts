import { PassThrough } from 'node:stream';
import { XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';
import { SftpClient } from '../sftp/client.js';
import type { Carrier, RemoteCommand } from './carrier.js';
import { programError } from './program-error.js';
import { StartedProgram } from './started-program.js';
import { StreamPair } from './stream-pair.js';

export interface ProgramCarrierOptions {
  readonly program: string;
  /** Arguments that start a session of sftp. */
  readonly sftpArguments: readonly string[];
  /** Arguments that start a command there; absent: none can be started. */
  readonly commandArguments?: (command: string) => readonly string[];
  readonly account: string;
  readonly loginPerSession: boolean;
  readonly onNotice?: ((line: string) => void) | undefined;
}

/** What ssh exits with where it failed itself. */
const SSH_FAILED = 255;

/** A program for each session, which speaks over its standard input and output: ssh, or an sftp server. */
export class ProgramCarrier implements Carrier {
  readonly account: string;
  readonly loginPerSession: boolean;
  readonly execute?: (command: string, scope: Scope) => Promise<RemoteCommand>;
  readonly #options: ProgramCarrierOptions;
  readonly #running = new Set<StartedProgram>();
  #lost: XferError | undefined;

  constructor(options: ProgramCarrierOptions) {
    this.#options = options;
    this.account = options.account;
    this.loginPerSession = options.loginPerSession;
    const { commandArguments } = options;
    if (commandArguments) this.execute = (command, scope) => this.#execute(commandArguments(command), scope);
  }

  /** Set once it was closed: a session that ended leaves the others alone. */
  get lost(): XferError | undefined {
    return this.#lost;
  }

  async openSftp(scope: Scope): Promise<SftpClient> {
    const program = this.#start(this.#options.sftpArguments, scope, this.#options.onNotice);
    const stream = this.#pair(program, () => true);
    try {
      return await SftpClient.start(stream, scope);
    } catch (error) {
      await program.stop();
      throw error;
    }
  }

  async #execute(args: readonly string[], scope: Scope): Promise<RemoteCommand> {
    const program = this.#start(args, scope);
    const stderr = program.stderr.pipe(new PassThrough());
    const stream = this.#pair(program, ({ exitCode, error }) => exitCode === SSH_FAILED || error !== undefined);
    const exitCode = program.ended.then((end) => (end.exitCode === SSH_FAILED ? null : end.exitCode));
    return { stream, stderr, exitCode };
  }

  #start(args: readonly string[], { signal }: Scope, onLine?: (line: string) => void): StartedProgram {
    signal.throwIfAborted();
    if (this.#lost) throw this.#lost;
    const program = new StartedProgram(this.#options.program, args, onLine);
    this.#running.add(program);
    program.ended.then(() => this.#running.delete(program));
    return program;
  }

  /** `isFault` says whether an end of the program is a fault of the session. */
  #pair(
    program: StartedProgram,
    isFault: (end: { readonly exitCode: number | null; readonly error: Error | undefined }) => boolean,
  ): StreamPair {
    const stream = new StreamPair(program.stdout, program.stdin, async () => {
      const last = await program.end();
      if (!last || !isFault(last.end)) return undefined;
      return this.#lost ?? programError(this.#options.program, last.end, last.lines);
    });
    stream.once('close', () => program.stop());
    return stream;
  }

  async close(): Promise<void> {
    this.#lost ??= new XferError('DISCONNECTED', `${this.#options.program}: it was closed`);
    await Promise.all([...this.#running].map((program) => program.stop()));
  }
}
