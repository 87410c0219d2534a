import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { relayed } from '#xfer/transports/http/listen/cgi/relayed.js';
import { parseHead, readHead } from '#xfer/transports/http/listen/cgi/response-head.js';
import { scriptCommand } from '#xfer/transports/http/listen/cgi/script.js';
import { failsWith } from '../../../../support/fails-with.js';
import { collect } from '../../../../support/fixtures.js';

test('a head is found wherever its pieces are cut', { timeout: 10_000 }, async () => {
  for (const end of ['\n\n', '\r\n\r\n', '\n\r\n', '\r\n\n']) {
    const text = `Content-Type: a/b\r\nX-Own: 1${end}\n\nbody\n\n`;
    for (let cut = 1; cut < text.length; cut += 1) {
      const stream = Readable.from(
        [text.slice(0, cut), text.slice(cut)].map((piece) => Buffer.from(piece)),
        {
          objectMode: false,
        },
      );
      const head = await readHead(stream);
      assert.deepEqual({ ...head.fields }, { 'content-type': ['a/b'], 'x-own': ['1'] });
      assert.equal((await collect(stream)).toString(), '\n\nbody\n\n', `${JSON.stringify(end)} cut at ${cut}`);
    }
  }
});

test('a head that comes byte by byte is as good', { timeout: 10_000 }, async () => {
  const text = `Content-Type: a/b\nX: ${'y'.repeat(60_000)}\n\nrest`;
  const stream = Readable.from(
    [...text].map((letter) => Buffer.from(letter)),
    { objectMode: false },
  );
  assert.equal((await readHead(stream)).fields.x?.[0]?.length, 60_000);
  assert.equal((await collect(stream)).toString(), 'rest');
});

test('a line is read at once, whatever it is filled with', () => {
  const startMs = performance.now();
  for (const filling of [' ', '\t', ' \t', 'x ', ':', 'X', '%']) {
    const value = filling.repeat(60_000 / filling.length);
    for (const end of ['', '\x01', 'x', ' x']) {
      const line = `X:${value}${end}`;
      if (end === '\x01') assert.throws(() => parseHead(`Content-Type: a/b\n${line}`), failsWith('PROTOCOL'));
      else parseHead(`Content-Type: a/b\n${line}`);
      assert.throws(() => parseHead(value + end), failsWith('PROTOCOL'));
    }
  }
  assert.ok(performance.now() - startMs < 1000);
  const { fields } = parseHead('Content-Type:a/b\nX: \t a \t b\xc3\xa0 \t\nEmpty:\nSpaces: \t ');
  assert.deepEqual({ ...fields }, { 'content-type': ['a/b'], x: ['a \t b\xc3\xa0'], empty: [''], spaces: [''] });
  for (const line of ['x', ':x', ' X: 1', 'X : 1', '']) {
    assert.throws(() => parseHead(`Content-Type: a/b\n${line}\nY: 1`), failsWith('PROTOCOL'), line);
  }
});

test('exactly as many bytes as were announced', async () => {
  const of = (text: string): Readable => Readable.from([Buffer.from(text)], { objectMode: false });
  let chunks = 0;
  const relay = (length?: number) =>
    collect(
      relayed(of('abc'), length, () => {
        chunks += 1;
      }),
    );
  assert.equal((await relay(3)).toString(), 'abc');
  assert.equal((await relay()).toString(), 'abc');
  assert.equal(chunks, 2);
  await assert.rejects(relay(4), failsWith('TRUNCATED'));
  await assert.rejects(relay(2), failsWith('PROTOCOL'));
});

test('what is a program on each system', () => {
  assert.deepEqual(scriptCommand('/r/cgi-bin/x', 0o755, 'linux'), ['/r/cgi-bin/x']);
  assert.equal(scriptCommand('/r/cgi-bin/x', 0o644, 'linux'), undefined);
  assert.equal(scriptCommand('/r/cgi-bin/x', undefined, 'darwin'), undefined);
  assert.deepEqual(scriptCommand('C:\\r\\x.EXE', 0o666, 'win32'), ['C:\\r\\x.EXE']);
  assert.deepEqual(scriptCommand('C:\\r\\x.py', 0o666, 'win32'), ['python', 'C:\\r\\x.py']);
  for (const name of ['x.bat', 'x.cmd', 'x.sh', 'x', 'x.js', 'constructor.toString']) {
    assert.equal(scriptCommand(`C:\\r\\${name}`, 0o777, 'win32'), undefined, name);
  }
});
