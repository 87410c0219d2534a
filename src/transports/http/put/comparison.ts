/** A file that has the name already, and may be the very one that is to be put there. */
import { createHash } from 'node:crypto';
import { XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';
import { statedThere } from './look.js';
import type { Target } from './protocol.js';
import type { PutClient } from './put-client.js';

/** Given the bytes in place of the server: where they are what is there, nothing has to be sent. */
export class Comparison {
  readonly #hash = createHash('sha256');
  readonly #hex: string | undefined;
  readonly #refusal: XferError;

  private constructor(hex: string | undefined, refusal: XferError) {
    this.#hex = hex;
    this.#refusal = refusal;
  }

  /**
   * Rejects with the refusal itself where it has another reason, or what is there is another file: by its digest, or where
   * the server states none, by length and time. `inDoubt`: it was sent before, and no answer came, so that the length does.
   */
  static async after(
    refusal: unknown,
    target: Target,
    client: PutClient,
    scope: Scope,
    inDoubt = false,
  ): Promise<Comparison> {
    const mayBe = refusal instanceof XferError && refusal.code === 'EXISTS' && !target.replace;
    if (!mayBe) throw refusal;
    const there = await statedThere(client, target.url, 'sha256', scope).catch(() => undefined);
    const sameLength = there !== undefined && there.size === target.size && target.size !== undefined;
    const sameTime = there?.mtimeMs !== undefined && seconds(there.mtimeMs) === seconds(target.mtimeMs);
    if (!sameLength || !(there.hex !== undefined || sameTime || inDoubt)) throw refusal;
    return new Comparison(there.hex, refusal as XferError);
  }

  take(bytes: Buffer): void {
    this.#hash.update(bytes);
  }

  /** Throws the refusal where what is there is something else. */
  end(): void {
    this.endWith(this.#hash.digest('hex'));
  }

  /** The same for bytes that others have hashed. */
  endWith(hex: string): void {
    if (this.#hex !== undefined && hex !== this.#hex) throw this.#refusal;
  }
}

function seconds(timeMs: number | undefined): number | undefined {
  return timeMs === undefined ? undefined : Math.floor(timeMs / 1000);
}
