import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Checksums, RecentChecksums } from '#xfer/transports/http/listen/archive/checksums.js';
import { diskSource, serve } from '../rig.js';
import { fetchWhole, zipMembers } from './archive-rig.js';

const MANY = 70_000;

test('more entries than a ZIP counts without ZIP64, in order, and others get their turn', {
  timeout: 60_000,
}, async (t) => {
  const share = diskSource('/none');
  share.stat = (path) => Promise.resolve({ path, kind: 'directory' });
  share.open = () => Promise.reject(new Error('what is empty is not opened'));
  share.list = async function* () {
    for (let index = MANY; index > 0; index -= 1) {
      yield { path: `file ${index}`, kind: 'file', size: 0, mode: 0o644, version: String(index) };
    }
  };
  const { url } = await serve(t, '/none', { share });
  let turns = 0;
  const turning = setInterval(() => {
    turns += 1;
  }, 1);
  t.after(() => clearInterval(turning));
  const { body, fields } = await fetchWhole(`${url}/?archive=zip`);
  assert.ok(turns > 20, `${turns} turns`);
  assert.equal(Number(fields['content-length']), body.length);
  const names = zipMembers(body).map(({ name }) => name);
  assert.equal(names.length, MANY + 1);
  assert.deepEqual(names, [...names].sort());
  const tail = await fetchWhole(`${url}/?archive=zip`, { range: 'bytes=-150000' });
  const digest = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex');
  assert.equal(digest(tail.body), digest(body.subarray(-150_000)));
});

test('checksums are kept for the archives of late, up to a number of rows', () => {
  const kept = new RecentChecksums(10);
  kept.of('a', 4).set(2, 0xffffffff);
  assert.equal(kept.of('a', 4).get(2), 0xffffffff);
  assert.equal(kept.of('a', 4).get(1), undefined);
  kept.of('b', 4).set(0, 1);
  kept.of('a', 4);
  kept.of('c', 4);
  assert.equal(kept.of('a', 4).get(2), 0xffffffff, 'asked for since');
  assert.equal(kept.of('b', 4).get(0), undefined, 'the one not asked for longest');
  kept.of('too many', 11).set(0, 1);
  assert.equal(kept.of('too many', 11).get(0), undefined);
  assert.ok(kept.of('a', 4) instanceof Checksums);
});
