import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { patternBytes } from '../../../../support/fixtures.js';
import { Dice, pickSeed } from '../../../../support/random.js';
import { temporaryFolder } from '../rig.js';
import { age, fetchWhole, memberBytes, serveLocal, zipMembers } from './archive-rig.js';

/** A small tree with each kind of part: empty and not, in folders, of lengths around a block. */
async function smallTree(t: TestContext): Promise<string> {
  const root = join(await temporaryFolder(t), 'small tree');
  mkdirSync(join(root, 'sub', 'none'), { recursive: true });
  writeFileSync(join(root, 'a'), patternBytes(300));
  writeFileSync(join(root, 'empty'), '');
  writeFileSync(join(root, 'sub', 'block'), patternBytes(512, 2));
  writeFileSync(join(root, 'sub', 'é'.repeat(60)), patternBytes(1, 3));
  age(root);
  return root;
}

for (const format of ['zip', 'tar'] as const) {
  test(`${format}: from each byte on, and between any two, the bytes are those of the whole`, {
    timeout: 60_000,
  }, async (t) => {
    const root = await smallTree(t);
    const { url } = await serveLocal(t, root);
    const target = `${url}/?archive=${format}`;
    const whole = await fetchWhole(target);
    assert.equal(whole.status, 200);
    assert.equal(Number(whole.fields['content-length']), whole.body.length);
    for (let start = 0; start < whole.body.length; start += format === 'zip' ? 1 : 3) {
      const { status, body } = await fetchWhole(target, { range: `bytes=${start}-` });
      assert.equal(status, 206);
      assert.ok(body.equals(whole.body.subarray(start)), `from ${start}`);
    }
    const seed = pickSeed();
    t.diagnostic(`seed ${seed}`);
    const dice = new Dice(seed);
    for (let round = 0; round < 200; round += 1) {
      const start = dice.below(whole.body.length);
      const end = start + 1 + dice.below(whole.body.length - start);
      const { body } = await fetchWhole(target, { range: `bytes=${start}-${end - 1}` });
      assert.ok(body.equals(whole.body.subarray(start, end)), `${start} to ${end}`);
    }
  });
}

test('a ZIP that nobody downloaded before ends as a whole one does', { timeout: 30_000 }, async (t) => {
  const root = await smallTree(t);
  const whole = (await fetchWhole(`${(await serveLocal(t, root)).url}/?archive=zip`)).body;
  const members = zipMembers(whole);
  for (const { name, crc, ...member } of members)
    assert.equal(crc, crc32(memberBytes(whole, { name, crc, ...member })));
  const central = whole.readUInt32LE(whole.length - 6);
  // In the header, in the data, at its end, in the descriptor, in the directory, in the end record.
  const { offset } = members.find(({ name }) => name.endsWith('/a')) as (typeof members)[number];
  const data = offset + 30 + 'small tree/a'.length + 9;
  for (const start of [
    0,
    offset + 5,
    data,
    data + 150,
    data + 300,
    data + 309,
    central,
    central + 60,
    whole.length - 1,
  ]) {
    const { url } = await serveLocal(t, root);
    const { body } = await fetchWhole(`${url}/?archive=zip`, { range: `bytes=${start}-` });
    assert.ok(body.equals(whole.subarray(start)), `from ${start}`);
  }
  const { url } = await serveLocal(t, root);
  const parts = await fetchWhole(`${url}/?archive=zip`, { range: `bytes=3-9,${data + 300}-${data + 315}` });
  assert.equal(parts.status, 206);
  assert.ok(parts.body.includes(whole.subarray(data + 300, data + 316)), 'a descriptor alone');
});

test('preconditions', { timeout: 10_000 }, async (t) => {
  const root = await smallTree(t);
  const { url } = await serveLocal(t, root);
  const target = `${url}/?archive=zip`;
  const { fields, body } = await fetchWhole(target);
  const { etag } = fields as { etag: string };
  assert.match(etag, /^"[\w-]+"$/);
  assert.equal(fields['accept-ranges'], 'bytes');
  assert.equal(fields['last-modified'], undefined, 'no one time speaks for many files');
  const status = async (headers: Record<string, string>) => (await fetchWhole(target, headers)).status;
  assert.equal(await status({ 'if-none-match': etag }), 304);
  assert.equal(await status({ 'if-match': etag }), 200);
  assert.equal(await status({ 'if-match': '"other"' }), 412);
  assert.equal(await status({ range: 'bytes=5-', 'if-range': etag }), 206);
  assert.equal(await status({ range: 'bytes=5-', 'if-range': '"other"' }), 200);
  assert.equal(await status({ range: `bytes=${body.length}-` }), 416);
});

test('the tag changes with names, sizes, times, modes and the form, and with nothing else', {
  timeout: 10_000,
}, async (t) => {
  const root = await smallTree(t);
  const { url } = await serveLocal(t, root);
  const tag = async (query = 'zip') => (await fetchWhole(`${url}/?archive=${query}`)).fields.etag ?? '';
  const seen = [await tag(), await tag('tar'), await tag('tar.gz')];
  assert.equal(await tag(), seen[0]);
  const changes: (() => void)[] = [
    () => writeFileSync(join(root, 'a'), patternBytes(300, 9)),
    () => writeFileSync(join(root, 'a'), ''),
    () => writeFileSync(join(root, 'new'), ''),
    () => renameSync(join(root, 'new'), join(root, 'newer')),
    () => chmodSync(join(root, 'a'), 0o755),
    () => utimesSync(join(root, 'sub'), 5, 5),
  ];
  for (const change of changes) {
    change();
    if (change === changes[0]) utimesSync(join(root, 'a'), 5, 5);
    seen.push(await tag());
  }
  assert.equal(new Set(seen.map((each) => each.replace(/^W\//, ''))).size, seen.length, seen.join(' '));
  const recent = await fetchWhole(`${url}/?archive=zip`);
  assert.match(recent.fields.etag ?? '', /^W\//, 'a folder that changed just now may change again');
  const { status } = await fetchWhole(`${url}/?archive=zip`, {
    range: 'bytes=5-',
    'if-range': recent.fields.etag ?? '',
  });
  assert.equal(status, 200);
});
