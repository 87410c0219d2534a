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
  readonly #hex: string;
  readonly #refusal: XferError;

  private constructor(hex: string, refusal: XferError) {
    this.#hex = hex;
    this.#refusal = refusal;
  }

  /** Rejects with the refusal itself where it has another reason, or the server states no digest of what is there. */
  static async after(refusal: unknown, target: Target, client: PutClient, scope: Scope): Promise<Comparison> {
    const mayBe = refusal instanceof XferError && refusal.code === 'EXISTS' && !target.replace;
    const hex = mayBe ? await statedThere(client, target.url, 'sha256', scope).catch(() => undefined) : undefined;
    if (hex === undefined) throw refusal;
    return new Comparison(hex, refusal as XferError);
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
    if (hex !== this.#hex) throw this.#refusal;
  }
}
