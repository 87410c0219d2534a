/** Files whose bytes were all sent, and of which nobody has said what became of them. */
import type { Answered } from './body-request.js';

/** Of a gateway that lost the server behind it. */
const NOBODY_KNOWS = new Set([502, 504]);

export class Doubts {
  readonly #urls = new Set<string>();

  about(url: URL): boolean {
    return this.#urls.has(url.href);
  }

  /** What `send` is answered, with which the file has its name or has not. */
  async until(url: URL, send: () => Promise<Answered>): Promise<Answered> {
    this.#urls.add(url.href);
    const answered = await send();
    if (!NOBODY_KNOWS.has(answered.status)) this.#urls.delete(url.href);
    return answered;
  }
}
