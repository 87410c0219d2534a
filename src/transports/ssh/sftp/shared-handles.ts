/** Files open for reading, each once a session for all who read parts of it at the same time. */
import { abortable } from '../../../concurrency/on-abort.js';
import type { Scope } from '../../../transport.js';
import type { SftpClient } from './client.js';
import { OPEN } from './codec.js';

export interface SharedHandle {
  readonly handle: Buffer;
  /** Called once by each who took it; the last one closes it. */
  release(): void;
}

interface Held {
  readonly opening: Promise<Buffer>;
  users: number;
}

export class SharedHandles {
  readonly #held = new Map<SftpClient, Map<string, Held>>();

  /** The file's handle on a session, opened where nobody has it. The errors of an OPEN, and the signal's reason. */
  async take(client: SftpClient, path: Buffer, scope: Scope): Promise<SharedHandle> {
    const files = this.#held.get(client) ?? new Map<string, Held>();
    this.#held.set(client, files);
    const key = path.toString('latin1');
    // Without a signal: who gives up must not take it from the others.
    const held = files.get(key) ?? { opening: client.open(path, OPEN.READ, {}), users: 0 };
    files.set(key, held);
    held.users += 1;
    const release = () => {
      held.users -= 1;
      if (held.users > 0) return;
      files.delete(key);
      if (files.size === 0) this.#held.delete(client);
      held.opening.then((handle) => client.close(handle)).catch(() => undefined);
    };
    try {
      return { handle: await abortable(held.opening, scope), release };
    } catch (error) {
      release();
      throw error;
    }
  }
}
