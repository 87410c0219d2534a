import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Box, openBox } from './upload-rig.js';

const LIMIT = { timeout: 60_000 };
const POSIX = { ...LIMIT, skip: process.platform === 'win32' ? 'Windows has no such names' : false };

const NOT_UTF8 = Buffer.from('x\xff.txt', 'latin1');
const NAMES = ['back\\slash', 'slash', NOT_UTF8, 'xff.txt', 'x\\xff.txt', 'two\nlines', 'twolines', '100%', 'a+b'];

/** Each name as a character for each byte. */
async function namesOf({ root }: Box): Promise<string[]> {
  return (await readdir(root, { encoding: 'latin1' as BufferEncoding })).toSorted();
}

async function crowded(box: Box): Promise<void> {
  const root = Buffer.from(`${box.root}/`);
  for (const name of NAMES) await writeFile(Buffer.concat([root, Buffer.from(name)]), 'x');
}

async function act(box: Box, body: string): Promise<number> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return (await fetch(`${box.url}/`, { method: 'POST', headers, body })).status;
}

const latin1 = (name: string | Buffer): string => Buffer.from(name).toString('latin1');

function encoded(name: string | Buffer): string {
  return Buffer.from(name).toString('hex').replace(/../g, '%$&');
}

test('a form removes exactly what it names, whatever the name holds', POSIX, async (t) => {
  const box = await openBox(t, { manage: true });
  for (const name of NAMES) {
    for (const field of [`name=${encoded(name)}`, `link=${encoded(encoded(name))}`]) {
      await crowded(box);
      assert.equal(await act(box, `action=remove&${field}`), 201, field);
      const left = NAMES.filter((each) => each !== name).map(latin1);
      assert.deepEqual(await namesOf(box), left.toSorted(), field);
    }
  }
});

test('a form renames exactly what it names, and to no other name than was given', POSIX, async (t) => {
  const box = await openBox(t, { manage: true });
  await mkdir(join(box.root, 'sub'));
  await writeFile(join(box.root, 'tomove'), 'x');
  for (const [body, status] of [
    ['action=rename&name=tomove&to=sub%2Ftomove2', 403],
    ['action=rename&name=sub%2Ftomove&to=other', 403],
    ['action=rename&link=sub%2Ftomove&to=other', 403],
    ['action=rename&link=sub%252Ftomove&to=other', 403],
    ['action=rename&link=%25zz&to=other', 400],
    ['action=rename&link=&name=tomove&to=other', 400],
    ['action=rename&link=%C5%B4omove&to=other', 400],
    ['action=rename&link=..&to=other', 403],
    ['action=remove&name=%', 400],
    ['action=folder&name=sub%2Fnew', 403],
  ] as const) {
    assert.equal(await act(box, body), status, body);
    assert.deepEqual(await namesOf(box), ['sub', 'tomove'], body);
  }
  assert.equal(await act(box, 'action=rename&name=tomove&to=a%5Cb'), 201);
  assert.deepEqual(await namesOf(box), ['a\\b', 'sub']);
});

test('bytes that are posted as a form, as curl does it unasked, are told how a file is put', LIMIT, async (t) => {
  const box = await openBox(t);
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  for (const path of ['/', '/new.txt']) {
    for (const body of ['hello', '', 'x'.repeat(100_000)]) {
      const answer = await fetch(`${box.url}${path}`, { method: 'POST', headers, body });
      assert.equal(answer.status, 415, path);
      assert.match(await answer.text(), /a single file is sent by PUT, as by curl -T/);
    }
  }
  assert.deepEqual(await readdir(box.root), []);
});
