import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { printable } from '../names.js';

const LONGEST_LINE = 1000;

/** Tells each line that comes, printable and cut to 1,000 characters; empty ones are left out. */
export function tellLines(stream: Readable, tell: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const take = (text: string) => {
    const lines = (rest + text).split(/\r?\n|\r/);
    // What is too long is told in pieces, so that a line without an end holds no memory.
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE) lines.push(rest.slice(0, LONGEST_LINE));
    rest = rest.slice(0, rest.length > LONGEST_LINE ? 0 : undefined);
    for (const line of lines) if (line.trim() !== '') tell(printable(line.slice(0, LONGEST_LINE)));
  };
  stream.on('data', (chunk: Buffer) => take(decoder.write(chunk)));
  stream.once('end', () => take(`${decoder.end()}\n`));
}
