/** A listener that ends after so many uploads: what is one, who gets it, and what becomes of the others. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { patternBytes } from '../../../../support/fixtures.js';
import { ask, type Box, namesIn, openBox, put } from './upload-rig.js';

const LIMIT = { timeout: 30_000 };
const TUS = { 'Tus-Resumable': '1.0.0', 'Content-Type': 'application/offset+octet-stream' };

async function openOnce(t: TestContext, mostFiles = 1): Promise<Box & { readonly notices: string[] }> {
  const notices: string[] = [];
  const box = await openBox(t, { mostFiles }, { onNotice: (line) => void notices.push(line) });
  return { ...box, notices };
}

/** A PUT of two bytes, of which the second is sent when it is called; what comes back says how it ended. */
function heldPut(
  { port }: Box,
  name: string,
): { readonly finish: () => void; readonly ended: Promise<number | string> } {
  const sent = request({ port, path: `/${name}`, method: 'PUT', headers: { 'Content-Length': 2 }, agent: false });
  const ended = new Promise<number | string>((resolve) => {
    sent.on('response', (response) => resolve(response.resume().statusCode as number));
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  sent.write('1');
  return { finish: () => void sent.end('2'), ended };
}

async function until(reached: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await reached())) await new Promise((resolve) => setTimeout(resolve, 10));
}

test('what is no whole upload is not counted, and the last one ends it', LIMIT, async (t) => {
  const box = await openOnce(t, 2);
  assert.equal((await ask(`${box.url}/no/f`, { method: 'PUT', body: 'x' }))[0], 409);
  assert.equal((await put(`${box.url}/f`, 'x', { 'Repr-Digest': `sha-256=:${'A'.repeat(43)}=:` })).status, 400);
  assert.equal((await fetch(`${box.url}/sub`, { method: 'MKCOL' })).status, 201);
  assert.equal((await put(`${box.url}/f`, 'x')).status, 201);
  assert.equal((await put(`${box.url}/f`, 'again')).status, 409);
  assert.equal(await (await fetch(`${box.url}/f`)).text(), 'x');
  assert.equal((await put(`${box.url}/sub/g`, 'y')).status, 201);
  await box.listener.closed;
  assert.deepEqual(box.notices, ['serve: all 2 uploads were made, so it ends']);
  assert.deepEqual(await namesIn(box.root), ['f', 'sub', join('sub', 'g')]);
});

test('of several at once the first that is whole is the one, and the others are cut at once', LIMIT, async (t) => {
  const box = await openOnce(t);
  const held = Array.from({ length: 8 }, (_, index) => heldPut(box, `held-${index}`));
  await until(async () => (await namesIn(box.root)).length === 8);
  for (const { finish } of held.slice(0, 6)) finish();
  const ends = await Promise.all(held.map(({ ended }) => ended));
  assert.equal(ends.filter((end) => end === 201).length, 1, String(ends));
  assert.ok(
    ends.every((end) => end === 201 || end === 410 || end === 'ECONNRESET' || end === 'EPIPE'),
    String(ends),
  );
  await box.listener.closed;
  assert.equal((await namesIn(box.root)).length, 1);
});

test('a file that goes up in parts counts with its last one', LIMIT, async (t) => {
  const box = await openOnce(t);
  const bytes = patternBytes(300_000);
  const metadata = `filename ${Buffer.from('parts').toString('base64')}`;
  const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Length': '300000', 'Upload-Metadata': metadata };
  const begun = await fetch(`${box.url}/`, { method: 'POST', headers });
  const place = new URL(begun.headers.get('location') as string, `${box.url}/`);
  for (const [start, end] of [
    [0, 100_000],
    [100_000, 300_000],
  ] as const) {
    const body = bytes.subarray(start, end) as BodyInit;
    const answer = await fetch(place, { method: 'PATCH', headers: { ...TUS, 'Upload-Offset': String(start) }, body });
    assert.equal(answer.status, 204);
  }
  await box.listener.closed;
  assert.ok((await readFile(join(box.root, 'parts'))).equals(bytes));
  assert.deepEqual(box.notices, ['serve: the one upload was made, so it ends']);
});

test('of a form one file is taken, and a browser is shown that, not a folder that is gone', LIMIT, async (t) => {
  const form = (...names: string[]): FormData => {
    const filled = new FormData();
    for (const name of names) filled.append('file', new Blob([name]), name);
    return filled;
  };
  const several = await openOnce(t);
  const told = await fetch(`${several.url}/`, { method: 'POST', body: form('a', 'b') });
  assert.equal(told.status, 410);
  assert.equal(await told.text(), 'saved a\nnot saved b: All that is taken here has come.\n');
  await several.listener.closed;
  assert.deepEqual(await namesIn(several.root), ['a']);
  const one = await openOnce(t);
  const page = await (await fetch(`${one.url}/`, { headers: { Accept: 'text/html' } })).text();
  assert.match(page, /<section id="upload"[^>]* data-one>/);
  assert.doesNotMatch(page, /name="file" multiple/);
  const shown = await fetch(`${one.url}/`, { method: 'POST', body: form('<b>'), headers: { Accept: 'text/html' } });
  assert.equal(shown.status, 201);
  assert.match(await shown.text(), /<h1>Uploaded<\/h1><p>Saved: &lt;b&gt;<\/p>\n<p>Nothing more is taken here\./);
});

test('a number of uploads that is none is refused', LIMIT, async (t) => {
  for (const mostFiles of [0, -1, 1.5, Number.NaN]) {
    await assert.rejects(openBox(t, { mostFiles }), { code: 'USAGE', message: /at least 1/ });
  }
});
