/** The note that an archive ends with where it does not hold all that was asked for. */
import { nameFromBytes, printable } from '../../../../names.js';
import { type Manifest, TOP } from './manifest.js';

/** Lines that are told one by one; of the rest only how many there are. */
const MOST_LINES = 10_000;
const NOTE_NAME = 'XFER-LEFT-OUT';

export class LeftOut {
  readonly #lines: string[] = [];
  #count = 0;

  /** Notes that the thing at `path`, as the archive would call it, is not there. */
  add(path: Uint8Array, reason: string): void {
    this.#count += 1;
    if (this.#lines.length < MOST_LINES) this.#lines.push(`${printable(nameFromBytes(path))}: ${reason}`);
  }

  /** Puts the note into the archive, under a name that nothing else has in it; nothing where nothing was left out. */
  addTo(manifest: Manifest): void {
    if (this.#count === 0) return;
    const taken = new Set([...manifest.children(TOP)].map((row) => manifest.name(row).toUpperCase()));
    let name = `${NOTE_NAME}.txt`;
    for (let number = 2; taken.has(name.toUpperCase()); number += 1) name = `${NOTE_NAME}-${number}.txt`;
    const further = this.#count - this.#lines.length;
    if (further > 0) this.#lines.push(`and ${further} more`);
    manifest.addNote(name, `This archive is not complete. Left out:\n\n${this.#lines.sort().join('\n')}\n`);
  }
}
