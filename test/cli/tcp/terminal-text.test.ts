import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { terminalText } from '#xfer/cli/tcp/terminal-text.js';

async function shown(...chunks: (string | Buffer)[]): Promise<string> {
  return text(Readable.from(chunks.map((chunk) => Buffer.from(chunk as string))).pipe(terminalText()));
}

test('lines and tabs stay, and nothing that a terminal acts on does', async () => {
  assert.equal(await shown('a\tb\r\nc\n'), 'a\tb\r\nc\n');
  assert.equal(
    await shown('\u001b[2J\u0007\u009b31m\rover\u202egnp.exe'),
    '\\x1b[2J\\x07\\x9b31m\\x0dover\\u{202e}gnp.exe',
  );
  assert.equal(await shown(Buffer.from([0x41, 0xff, 0x80])), 'A\ufffd\ufffd');
});

test('characters that come in parts are whole', async () => {
  const snowman = Buffer.from('☃é');
  assert.equal(await shown(...[...snowman].map((byte) => Buffer.from([byte]))), '☃é');
});
