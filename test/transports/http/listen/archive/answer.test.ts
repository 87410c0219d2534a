import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Entry } from '#xfer/transport.js';
import { patternBytes } from '../../../../support/fixtures.js';
import { diskSource, get, serve, temporaryFolder } from '../rig.js';
import { age, fetchWhole, serveLocal, zipMembers } from './archive-rig.js';

const FORMS = ['zip', 'tar', 'tar.gz'] as const;

test('what is asked for, and what is not there', { timeout: 10_000 }, async (t) => {
  const root = await temporaryFolder(t);
  mkdirSync(join(root, 'a b'));
  writeFileSync(join(root, 'a b', 'file'), 'text');
  mkdirSync(join(root, '.hidden'));
  const { port, url } = await serveLocal(t, root);
  for (const query of ['archive', 'archive=', 'archive=rar', 'archive=zip%00', 'archive=../zip']) {
    assert.match(await get(port, `/a%20b/?${query}`), /^HTTP\/1\.1 400 [\s\S]*archive is zip, tar or tar\.gz/, query);
  }
  assert.match(await get(port, '/a%20b/file?archive=zip'), /^HTTP\/1\.1 400 [\s\S]*only a folder/);
  assert.match(await get(port, '/a%20b?archive=zip'), /^HTTP\/1\.1 301 [\s\S]*Location: \.\/a%20b\/\?archive=zip/);
  for (const path of ['/none/', '/.hidden/', '/a%20b/file/']) {
    assert.match(await get(port, `${path}?archive=zip`), /^HTTP\/1\.1 404 /, path);
  }
  const types = { zip: 'application/zip', tar: 'application/x-tar', 'tar.gz': 'application/gzip' };
  for (const form of FORMS) {
    const { fields } = await fetchWhole(`${url}/a%20b/?x=1&archive=${form}`);
    assert.equal(fields['content-type'], types[form]);
    assert.equal(fields['content-disposition'], `attachment; filename="a b.${form}"`);
    assert.equal(fields['x-content-type-options'], 'nosniff');
  }
  const [plain, packed] = [await fetchWhole(`${url}/?archive=tar`), await fetchWhole(`${url}/?archive=tgz`)];
  assert.ok(gunzipSync(packed.body).equals(plain.body));
  assert.equal(packed.fields['accept-ranges'], 'none');
});

test('one file alone is no folder, and what holds it is one', { timeout: 10_000 }, async (t) => {
  const root = await temporaryFolder(t);
  writeFileSync(join(root, 'one'), 'text');
  age(root);
  const { port, url } = await serveLocal(t, join(root, 'one'));
  assert.match(await get(port, '/one?archive=zip'), /^HTTP\/1\.1 400 /);
  const { body, fields } = await fetchWhole(`${url}/?archive=zip`);
  assert.equal(fields['content-disposition'], 'attachment; filename="files.zip"');
  assert.deepEqual(
    zipMembers(body).map(({ name }) => name),
    ['files/', 'files/one'],
  );
  assert.equal(body.readUInt32LE(10), body.readUInt32LE(body.indexOf('PK\x03\x04', 4) + 10), 'a folder without a time');
});

test('HEAD has the head of GET, and opens no file', { timeout: 10_000 }, async (t) => {
  const root = await temporaryFolder(t);
  writeFileSync(join(root, 'file'), patternBytes(100_000));
  age(root);
  const share = diskSource(root);
  // With modes, as a local source has them: what all may read needs no trial.
  const { list } = share;
  share.list = async function* (...args) {
    for await (const entry of list?.(...args) ?? []) yield { ...entry, mode: 0o644 };
  };
  const { url } = await serve(t, root, { share });
  for (const form of FORMS) {
    const head = await fetch(`${url}/?archive=${form}`, { method: 'HEAD' });
    assert.equal(share.opened, 0);
    const whole = await fetchWhole(`${url}/?archive=${form}`);
    for (const name of ['content-length', 'etag', 'content-type', 'content-disposition', 'accept-ranges']) {
      assert.equal(head.headers.get(name) ?? undefined, whole.fields[name], name);
    }
    assert.equal(head.status, 200);
    assert.equal(share.opened, 1);
    assert.equal(share.closed, 1);
    [share.opened, share.closed] = [0, 0];
  }
});

test('without versions there is no tag and no range, and the length is exact', { timeout: 10_000 }, async (t) => {
  const root = await temporaryFolder(t);
  writeFileSync(join(root, 'file'), patternBytes(1000));
  const share = diskSource(root);
  const { open, list, stat } = share;
  const bare = ({ version: _, ...entry }: Entry): Entry => entry;
  share.list = async function* (...args) {
    for await (const entry of list?.(...args) ?? []) yield bare(entry);
  };
  share.stat = async (...args) => {
    const entry = await stat?.(...args);
    return entry && bare(entry);
  };
  share.open = async (...args) => {
    const file = await (open?.(...args) as NonNullable<ReturnType<NonNullable<typeof open>>>);
    return { ...file, entry: bare(file.entry) };
  };
  const { url } = await serve(t, root, { share });
  const { status, fields, body } = await fetchWhole(`${url}/?archive=zip`, { range: 'bytes=5-' });
  assert.deepEqual([status, fields.etag, fields['accept-ranges']], [200, undefined, 'none']);
  assert.equal(Number(fields['content-length']), body.length);
  assert.equal(zipMembers(body).length, 2);
});
