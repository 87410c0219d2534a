/** One session of the old scp protocol, by what the command of its client asks for. */
import type { ServerChannel } from 'ssh2';
import { XferError } from '../../../errors.js';
import { bytesFromName } from '../../../names.js';
import { homePath } from './client-paths.js';
import type { Folder } from './folder.js';
import { serveLegacy } from './legacy.js';
import type { LegacyCommand } from './legacy-command.js';
import type { Line } from './outbox.js';
import { PacedChannel } from './paced-channel.js';

export interface LegacySessionOptions {
  readonly channel: ServerChannel;
  readonly line: Line;
  readonly folder: Folder;
  readonly command: LegacyCommand;
  /** Told of each file that went over whole. */
  readonly onFile: (path: string, bytes: number) => void;
  readonly onEnd: () => void;
}

export class LegacySession {
  readonly #options: LegacySessionOptions;
  readonly #stopped = new AbortController();
  readonly #stream: PacedChannel;

  constructor(options: LegacySessionOptions) {
    this.#options = options;
    const { channel, line } = options;
    this.#stream = new PacedChannel(channel, line);
    this.#stream.on('error', () => this.end());
    this.#stream.on('close', () => this.end());
    void this.#serve();
  }

  /** Until its end it is copying. */
  get busy(): boolean {
    return !this.#stopped.signal.aborted;
  }

  /** Ends it at once; what has no name yet is removed. May be called twice. */
  end(): void {
    this.#stopped.abort(new XferError('DISCONNECTED', 'scp: the session was ended'));
    this.#stream.destroy();
  }

  async #serve(): Promise<void> {
    const { channel, command, folder, onFile, onEnd } = this.#options;
    const { share, receive } = folder;
    const parts = {
      share,
      pathOf: (word: string) => homePath(bytesFromName(word)),
      onFile,
      ...(receive ? { receive } : {}),
    };
    const scope = { signal: AbortSignal.any([this.#stopped.signal, folder.scope.signal]) };
    const exitCode = await serveLegacy(this.#stream, command, parts, scope).catch(() => undefined);
    if (exitCode === undefined) channel.destroy();
    else {
      channel.exit(exitCode);
      channel.end();
    }
    this.#stopped.abort();
    onEnd();
  }
}
