import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundaryOf, parseForm } from '#xfer/transports/http/listen/upload/multipart.js';
import { Dice, pickSeed } from '../../../../support/random.js';

const BOUNDARY = 'XX-bound';

interface Part {
  readonly head: string;
  readonly bytes: Buffer;
}

function formOf(parts: readonly Part[], preamble = '', epilogue = ''): Buffer {
  const pieces = parts.flatMap(({ head, bytes }) => [
    Buffer.from(`--${BOUNDARY}\r\n${head}\r\n\r\n`, 'latin1'),
    bytes,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([Buffer.from(preamble), ...pieces, Buffer.from(`--${BOUNDARY}--${epilogue}`)]);
}

async function* cut(bytes: Buffer, length: () => number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + length());
    yield bytes.subarray(at, end);
    at = end;
  }
}

async function parse(bytes: Buffer, length: () => number = () => 65_536) {
  const found: { name: string; fileName: string | undefined; bytes: Buffer }[] = [];
  for await (const { name, fileName, bytes: pieces } of parseForm(cut(bytes, length), BOUNDARY)) {
    const all: Buffer[] = [];
    for await (const piece of pieces) all.push(piece);
    found.push({ name, fileName, bytes: Buffer.concat(all) });
  }
  return found;
}

const head = (parameters: string): string => `Content-Disposition: form-data; ${parameters}`;

test('every form comes out as it was put together, however it is cut', { timeout: 60_000 }, async () => {
  const seed = pickSeed();
  const random = new Dice(seed);
  const pieces = ['\r\n', '\r', '\n', '-', '--', `--${BOUNDARY}`, `\r\n--XX-boun`, `\r\n--XX-bounD`, 'x', 'yyyyyyyyyy'];
  const bytesOf = (): Buffer => {
    const text = random.word(pieces, 30);
    return Buffer.from(text.includes(`\r\n--${BOUNDARY}`) ? 'z' : text);
  };
  for (let round = 0; round < 400; round += 1) {
    const parts = Array.from({ length: random.below(4) }, (_, at) => ({
      head: `${head(`name="f${at}"; filename="n${at}"`)}\r\nContent-Type: text/plain`,
      bytes: bytesOf(),
    }));
    const most = 1 + random.below(40);
    const found = await parse(formOf(parts, 'before\r\n', '\r\nafter'), () => 1 + random.below(most));
    assert.deepEqual(
      found.map(({ name, fileName, bytes }) => [name, fileName, bytes.toString()]),
      parts.map(({ bytes }, at) => [`f${at}`, `n${at}`, bytes.toString()]),
      `seed ${seed}, round ${round}`,
    );
  }
});

test('names come as they were sent', async () => {
  const rows: [string, string | undefined][] = [
    ['name="f"; filename="plain.txt"', 'plain.txt'],
    ['name="f"; filename="gr\xc3\xb6\xc3\x9fe"', 'größe'],
    ['name="f"; filename="latin\xe9"', 'latin\udce9'],
    ['name="f"; filename="a %22b%22 %0D%0A 100%25.txt"', 'a "b" \r\n 100%25.txt'],
    ['name="f"; filename="a \\"b\\""', 'a "b"'],
    ['name="f"; filename="a\\b"', 'a\\b'],
    ['name="f"; filename="a;b=c"', 'a;b=c'],
    ['name=f; filename=bare', 'bare'],
    ['name="f"', undefined],
    ['name="f"; filename=""', ''],
    ['name="f"; filename="unclosed', 'unclosed'],
  ];
  for (const [parameters, expected] of rows) {
    const [found] = await parse(formOf([{ head: head(parameters), bytes: Buffer.from('x') }]));
    assert.deepEqual([found?.name, found?.fileName], ['f', expected], parameters);
  }
});

test('what is no form is refused, and nothing of it makes it wait or remember without end', {
  timeout: 20_000,
}, async () => {
  const long = 'x'.repeat(100_000);
  const rows = [
    '',
    'no form at all',
    `--${BOUNDARY}`,
    `--${BOUNDARY}\r\n`,
    `--${BOUNDARY}\r\n${head('name="f"; filename="x"')}\r\n\r\nnever ends`,
    `--${BOUNDARY}\r\nContent-Type: text/plain\r\n\r\nx\r\n--${BOUNDARY}--`,
    `--${BOUNDARY}\r\n\r\nx\r\n--${BOUNDARY}--`,
    `--${BOUNDARY}\r\n${head(`name="${long}"`)}\r\n\r\nx\r\n--${BOUNDARY}--`,
    `--${BOUNDARY}${long}\r\n${head('name="f"')}\r\n\r\nx\r\n--${BOUNDARY}--`,
    `--${BOUNDARY}\r\n${head('name="f'.padEnd(8000, '\\"'))}`,
  ];
  for (const text of rows) await assert.rejects(parse(Buffer.from(text)), { status: 400 }, text.slice(0, 60));
  const many = `--${BOUNDARY}\r\n${head('name="f"')}\r\n\r\n\r\n`.repeat(10_001);
  await assert.rejects(parse(Buffer.from(`${many}--${BOUNDARY}--`)), { status: 413 });
});

test('a boundary is read from a Content-Type, and from nothing else', { timeout: 5000 }, () => {
  const rows: [string | undefined, string | undefined][] = [
    ['multipart/form-data; boundary=abc', 'abc'],
    ['multipart/form-data;boundary="a b"', 'a b'],
    ['Multipart/Form-Data; charset=utf-8; boundary=----WebKitFormBoundaryAAA', '----WebKitFormBoundaryAAA'],
    ['multipart/form-data', undefined],
    ['multipart/mixed; boundary=abc', undefined],
    ['text/plain; boundary=abc', undefined],
    [undefined, undefined],
    [`multipart/form-data; boundary=${'a'.repeat(71)}`, undefined],
    [`multipart/form-data${';'.repeat(10_000)}`, undefined],
  ];
  for (const [field, expected] of rows) assert.equal(boundaryOf(field), expected, field);
});
