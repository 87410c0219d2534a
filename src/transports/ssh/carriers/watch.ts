import type { Duplex } from 'node:stream';

const LONGEST_LOOK_MS = 5000;

/** Calls `onSilent` once when nothing came from a stream for so long; time in `during` is not counted. */
export class Watch {
  readonly #stream: Duplex;
  readonly #timer: NodeJS.Timeout;
  #heardMs = performance.now();
  #waits = 0;

  constructor(stream: Duplex, silenceMs: number, onSilent: () => void) {
    this.#stream = stream;
    stream.on('data', this.#hear);
    this.#timer = setInterval(
      () => {
        if (this.#waits > 0 || performance.now() - this.#heardMs < silenceMs) return;
        this.end();
        onSilent();
      },
      Math.min(silenceMs / 8, LONGEST_LOOK_MS),
    );
  }

  readonly #hear = () => {
    this.#heardMs = performance.now();
  };

  /** Silence is right while a person is asked. */
  async during<T>(wait: () => Promise<T>): Promise<T> {
    this.#waits++;
    try {
      return await wait();
    } finally {
      this.#waits--;
      this.#hear();
    }
  }

  end(): void {
    clearInterval(this.#timer);
    this.#stream.off('data', this.#hear);
  }
}
