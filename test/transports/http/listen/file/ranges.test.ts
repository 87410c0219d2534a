import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BODY, EXACT, serveBody } from './body-rig.js';

const BEFORE = 'Mon, 06 May 2024 07:08:08 GMT';
const AFTER = 'Mon, 06 May 2024 07:08:10 GMT';

/** Stands for the file's tag in the tables. */
const ETAG = '<etag>';

interface Expected {
  readonly status: number;
  readonly text: string;
  readonly range?: string;
}

const part = (text: string, range: string): Expected => ({ status: 206, text, range: `bytes ${range}/36` });
const whole: Expected = { status: 200, text: BODY };
const none: Expected = { status: 416, text: '416 Range Not Satisfiable\n', range: 'bytes */36' };

const RANGES: [string, Expected, Record<string, string>?][] = [
  ['bytes=0-0', part('0', '0-0')],
  ['bytes=10-', part(BODY.slice(10), '10-35')],
  ['bytes=-5', part('vwxyz', '31-35')],
  ['bytes=-100', part(BODY, '0-35')],
  ['bytes=30-99999999999999999999', part('uvwxyz', '30-35')],
  ['BYTES=1-2', part('12', '1-2')],
  ['bytes=1-2, ,', part('12', '1-2')],
  ['bytes=0-4,3-6', part('0123456', '0-6')],
  ['bytes=5-9,0-4', part('0123456789', '0-9')],
  ['bytes=36-', none],
  ['bytes=99999999999999999999-', none],
  ['bytes=-0', none],
  ['bytes=0-1,50-', part('01', '0-1')],
  ['bytes=5-1', whole],
  ['bytes=', whole],
  ['bytes=-', whole],
  ['bytes=a-b', whole],
  ['bytes=0x1-2', whole],
  ['bytes 0-1', whole],
  ['chars=0-1', whole],
  ['bytes=0-1,x', whole],
  ['bytes=0-,0-', whole],
  [`bytes=${Array.from({ length: 65 }, (_, index) => `${index}-${index}`).join()}`, whole],
  [`bytes=${'0-,'.repeat(1300)}`, whole],
  ['bytes=0-1', part('01', '0-1'), { 'if-range': ETAG }],
  ['bytes=0-1', whole, { 'if-range': `W/${ETAG}` }],
  ['bytes=0-1', whole, { 'if-range': '"other"' }],
  ['bytes=0-1', part('01', '0-1'), { 'if-range': EXACT }],
  ['bytes=0-1', whole, { 'if-range': AFTER }],
  ['bytes=0-1', whole, { 'if-range': 'nonsense' }],
  ['bytes=99-', whole, { 'if-range': '"other"' }],
];

const PRECONDITIONS: [number, Record<string, string>][] = [
  [304, { 'if-none-match': ETAG }],
  [304, { 'if-none-match': `W/${ETAG}` }],
  [304, { 'if-none-match': `"a", ${ETAG}` }],
  [304, { 'if-none-match': '*' }],
  [200, { 'if-none-match': '"a", "b"' }],
  [200, { 'if-none-match': '"almost"' }],
  [200, { 'if-none-match': '"a"', 'if-modified-since': AFTER }],
  [304, { 'if-modified-since': EXACT }],
  [304, { 'if-modified-since': AFTER }],
  [304, { 'if-modified-since': 'Monday, 06-May-24 07:08:09 GMT' }],
  [304, { 'if-modified-since': 'Mon May  6 07:08:09 2024' }],
  [200, { 'if-modified-since': BEFORE }],
  [200, { 'if-modified-since': '2024-05-06T07:08:09Z' }],
  [200, { 'if-modified-since': 'x'.repeat(8000) }],
  [200, { 'if-match': ETAG }],
  [200, { 'if-match': '*' }],
  [412, { 'if-match': '"a"' }],
  [412, { 'if-match': `W/${ETAG}` }],
  [304, { 'if-match': ETAG, 'if-none-match': ETAG }],
  [412, { 'if-match': '"a"', 'if-none-match': ETAG }],
  [412, { 'if-unmodified-since': BEFORE }],
  [200, { 'if-unmodified-since': EXACT }],
  [200, { 'if-match': ETAG, 'if-unmodified-since': BEFORE }],
  [412, { 'if-match': '"a"', range: 'bytes=0-1' }],
  [304, { 'if-none-match': ETAG, range: 'bytes=0-1' }],
];

function filled(fields: Record<string, string> = {}, etag: string): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value.replaceAll(ETAG, etag)]));
}

test('ranges', { timeout: 10_000 }, async (t) => {
  const { url, etag } = await serveBody(t);
  for (const [range, expected, fields] of RANGES) {
    const response = await fetch(`${url}/f.txt`, { headers: { range, ...filled(fields, etag) } });
    const label = `${range.slice(0, 60)} ${JSON.stringify(fields ?? {})}`;
    assert.equal(response.status, expected.status, label);
    assert.equal(await response.text(), expected.text, label);
    assert.equal(response.headers.get('content-range'), expected.range ?? null, label);
  }
  const head = await fetch(`${url}/f.txt`, { method: 'HEAD', headers: { range: 'bytes=0-1' } });
  assert.equal(head.status, 200);
  const empty = await fetch(`${url}/empty`, { headers: { range: 'bytes=-5' } });
  assert.equal(empty.status, 200);
});

test('several ranges come as multipart/byteranges of the announced length', { timeout: 10_000 }, async (t) => {
  const { url } = await serveBody(t);
  const response = await fetch(`${url}/f.txt`, { headers: { range: 'bytes=10-12,0-1' } });
  assert.equal(response.status, 206);
  const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(response.headers.get('content-type') ?? '')?.[1];
  const text = await response.text();
  assert.equal(Number(response.headers.get('content-length')), text.length);
  const head = (range: string) =>
    `--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: ${range}\r\n\r\n`;
  assert.equal(text, `${head('bytes 10-12/36')}abc\r\n${head('bytes 0-1/36')}01\r\n--${boundary}--\r\n`);
});

test('preconditions', { timeout: 10_000 }, async (t) => {
  const { url, etag } = await serveBody(t);
  for (const method of ['GET', 'HEAD']) {
    for (const [status, headers] of PRECONDITIONS) {
      const response = await fetch(`${url}/f.txt`, { method, headers: filled(headers, etag) });
      await response.arrayBuffer();
      assert.equal(response.status, status, `${method} ${JSON.stringify(headers).slice(0, 90)}`);
      if (status === 304) assert.equal(response.headers.get('etag'), etag);
    }
  }
});
