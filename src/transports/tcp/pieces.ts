/** Received bytes that wait, where those that lie side by side in memory are one piece. */
export class Pieces {
  readonly #waiting: Buffer[] = [];
  #bytes = 0;

  /** How many wait. */
  get bytes(): number {
    return this.#bytes;
  }

  add(piece: Buffer): void {
    this.#bytes += piece.length;
    const last = this.#waiting.at(-1);
    if (last?.buffer !== piece.buffer || last.byteOffset + last.length !== piece.byteOffset) {
      this.#waiting.push(piece);
      return;
    }
    this.#waiting[this.#waiting.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + piece.length);
  }

  /** The first piece, which waits no more; undefined where none does. */
  next(): Buffer | undefined {
    const piece = this.#waiting.shift();
    this.#bytes -= piece?.length ?? 0;
    return piece;
  }
}
