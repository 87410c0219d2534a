import assert from 'node:assert/strict';
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Box, namesIn, openBox, put } from './upload-rig.js';

const LIMIT = { timeout: 60_000 };
const LONG_AGO = new Date(1_700_000_000_000);
const BEFORE = new Date(1_600_000_000_000).toUTCString();
const NOW = new Date().toUTCString();

/** A file whose tag is strong. Returns the tag. */
async function settled({ root, url }: Box, name: string, text = 'first'): Promise<string> {
  await writeFile(join(root, name), text);
  await utimes(join(root, name), LONG_AGO, LONG_AGO);
  const tag = (await fetch(`${url}/${name}`, { method: 'HEAD' })).headers.get('etag');
  assert.match(tag ?? '', /^"/);
  return tag as string;
}

async function status(url: string, method: string, headers: Record<string, string>, body?: BodyInit): Promise<number> {
  return (await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) })).status;
}

test('what is not as the request wants it is neither removed nor moved', LIMIT, async (t) => {
  const box = await openBox(t, { manage: true, overwrite: true });
  const { root, url } = box;
  const tag = await settled(box, 'f');
  await mkdir(join(root, 'folder'));
  const unwanted: Record<string, string>[] = [
    { 'If-Match': '"nope"' },
    { 'If-None-Match': '*' },
    { 'If-None-Match': tag },
    { 'If-Unmodified-Since': BEFORE },
  ];
  for (const fields of unwanted) {
    const told = JSON.stringify(fields);
    assert.equal(await status(`${url}/f`, 'DELETE', fields), 412, told);
    assert.equal(await status(`${url}/f`, 'MOVE', { ...fields, Destination: '/g' }), 412, told);
  }
  assert.equal(await status(`${url}/folder`, 'DELETE', { 'If-Match': '"nope"' }), 412);
  assert.equal(await status(`${url}/none`, 'DELETE', { 'If-Match': '*' }), 404);
  assert.equal(await status(`${url}/new`, 'MKCOL', { 'If-Match': '*' }), 412);
  assert.deepEqual(await namesIn(root), ['f', 'folder']);
  assert.equal(await status(`${url}/f`, 'MOVE', { 'If-Match': tag, Destination: '/g' }), 201);
  assert.equal(await status(`${url}/g`, 'DELETE', { 'If-None-Match': '"other"', 'If-Unmodified-Since': NOW }), 204);
  assert.equal(await status(`${url}/folder`, 'DELETE', { 'If-Match': '*' }), 204);
  assert.deepEqual(await namesIn(root), []);
});

test('a form is taken only where the folder is as the request wants it', LIMIT, async (t) => {
  const box = await openBox(t, { manage: true, overwrite: true });
  const tag = await settled(box, 'c');
  const form = (): FormData => {
    const body = new FormData();
    body.append('f', new Blob(['other']), 'c');
    return body;
  };
  const removal = (): URLSearchParams => new URLSearchParams({ action: 'remove', name: 'c' });
  for (const fields of [{ 'If-None-Match': '*' }, { 'If-Match': tag }] as Record<string, string>[]) {
    assert.equal(await status(`${box.url}/`, 'POST', fields, form()), 412);
    assert.equal(await status(`${box.url}/`, 'POST', fields, removal()), 412);
  }
  assert.equal(await readFile(join(box.root, 'c'), 'utf8'), 'first');
  assert.equal(await status(`${box.url}/`, 'POST', { 'If-Match': '*' }, form()), 201);
  assert.equal(await readFile(join(box.root, 'c'), 'utf8'), 'other');
});

test('If-Modified-Since means nothing to what changes a file', LIMIT, async (t) => {
  const box = await openBox(t, { overwrite: true });
  await settled(box, 'f');
  assert.equal((await put(`${box.url}/f`, 'second', { 'If-Modified-Since': NOW })).status, 204);
  assert.equal(await readFile(join(box.root, 'f'), 'utf8'), 'second');
});

const PART = { 'Upload-Draft-Interop-Version': '8', 'Upload-Complete': '?0' };
const REST = { ...PART, 'Upload-Offset': '4', 'Upload-Complete': '?1', 'Content-Type': 'application/partial-upload' };

test('an upload in parts replaces only what was there at its start, also after a restart', LIMIT, async (t) => {
  let box = await openBox(t, { overwrite: true });
  for (const field of ['If-Match', 'If-Unmodified-Since']) {
    for (const [changed, restarted] of [
      [true, false],
      [true, true],
      [false, true],
    ]) {
      const tag = await settled(box, 'f');
      const wanted = { [field]: field === 'If-Match' ? tag : LONG_AGO.toUTCString() };
      const begun = await put(`${box.url}/f`, 'part', { ...PART, ...wanted });
      assert.equal(begun.status, 201);
      if (changed) await writeFile(join(box.root, 'f'), 'by somebody else');
      if (restarted) box = await box.again();
      const place = new URL(begun.headers.get('location') as string, `${box.url}/f`).href;
      assert.equal(await status(place, 'PATCH', REST, ' two'), changed ? 412 : 204);
      assert.equal(await readFile(join(box.root, 'f'), 'utf8'), changed ? 'by somebody else' : 'part two');
      assert.deepEqual(await namesIn(box.root), ['f']);
    }
  }
});
