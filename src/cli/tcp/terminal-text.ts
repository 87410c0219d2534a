/** What another machine sends, made harmless for a terminal. */
import { Transform, type TransformCallback } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { printable } from '../../names.js';

/** Lines and tabs stay; each other control character is shown escaped, as `printable` does. */
export function shownText(text: string): string {
  return text
    .split(/(\r?\n|\t)/)
    .map((part, index) => (index % 2 === 1 ? part : printable(part)))
    .join('');
}

/** The same of a stream. */
export function terminalText(): Transform {
  const decoder = new StringDecoder('utf8');
  return new Transform({
    transform(bytes: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      done(null, shownText(decoder.write(bytes)));
    },
    flush(done: TransformCallback) {
      done(null, shownText(decoder.end()));
    },
  });
}
