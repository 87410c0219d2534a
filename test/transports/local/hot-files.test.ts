import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { OpenFile } from '#xfer/transport.js';
import { HotFiles } from '#xfer/transports/local/hot-files.js';
import { openLocalSource } from '#xfer/transports/local/source.js';

const scope = { signal: new AbortController().signal };

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'xfer-hot-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A cache that holds `name`, as if it had not changed for long. */
function keptIn(root: string, name: string): HotFiles {
  const hot = new HotFiles(root);
  const place = join(root, name);
  hot.keep(name, statSync(place, { bigint: true }), Buffer.from('kept'));
  return hot;
}

/** A file is looked at once in a turn of the event loop. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function bytesOf(file: OpenFile | undefined): Promise<string | undefined> {
  return (await file?.readWhole?.())?.toString();
}

test('a file is found for as long as its name leads to the same file, unchanged', async (t) => {
  const root = folder(t);
  writeFileSync(join(root, 'f'), 'kept');
  const hot = keptIn(root, 'f');
  for (let time = 0; time < 2; time += 1) assert.equal(await bytesOf(hot.find('f')), 'kept');
  assert.equal(hot.find('g'), undefined);
  assert.equal(hot.find('../f'), undefined);
});

const changes: Record<string, (root: string) => void> = {
  'written to': (root) => writeFileSync(join(root, 'f'), 'new!'),
  'written to, its time put back': (root) => {
    const { atime, mtime } = statSync(join(root, 'f'));
    writeFileSync(join(root, 'f'), 'new!');
    utimesSync(join(root, 'f'), atime, mtime);
  },
  replaced: (root) => {
    writeFileSync(join(root, 'g'), 'kept');
    renameSync(join(root, 'g'), join(root, 'f'));
  },
  removed: (root) => rmSync(join(root, 'f')),
  'made a directory': (root) => {
    rmSync(join(root, 'f'));
    mkdirSync(join(root, 'f'));
  },
  'made a link to another file': (root) => {
    writeFileSync(join(root, 'secret'), 'kept');
    rmSync(join(root, 'f'));
    symlinkSync('secret', join(root, 'f'));
  },
  'forbidden to be read': (root) => chmodSync(join(root, 'f'), 0),
};

for (const [how, change] of Object.entries(changes)) {
  test(`a file that was ${how} is not found`, {
    skip: process.platform === 'win32' && 'links and modes',
  }, async (t) => {
    const root = folder(t);
    writeFileSync(join(root, 'f'), 'kept');
    const hot = keptIn(root, 'f');
    assert.ok(hot.find('f'));
    await nextTurn();
    change(root);
    assert.equal(hot.find('f'), undefined);
    assert.equal(hot.find('f'), undefined, 'and is forgotten');
  });
}

const swaps: Record<string, (root: string, outside: string) => void> = {
  'moved out with its directory, for which a link was put there': (root, outside) => {
    renameSync(join(root, 'd/e'), join(outside, 'e'));
    symlinkSync(join(outside, 'e'), join(root, 'd/e'));
  },
  'moved within the root with a directory above it': (root) => {
    renameSync(join(root, 'd'), join(root, 'moved'));
    symlinkSync('moved', join(root, 'd'));
  },
};

for (const [how, swap] of Object.entries(swaps)) {
  test(`a file that was ${how} is not found`, { skip: process.platform === 'win32' && 'links' }, async (t) => {
    const [root, outside] = [folder(t), folder(t)];
    mkdirSync(join(root, 'd/e'), { recursive: true });
    writeFileSync(join(root, 'd/e/f'), 'kept');
    const hot = keptIn(root, 'd/e/f');
    assert.ok(hot.find('d/e/f'));
    await nextTurn();
    swap(root, outside);
    assert.ok(statSync(join(root, 'd/e/f')), 'the same file has the name');
    assert.equal(hot.find('d/e/f'), undefined);
  });
}

test('a file that a link leads to is not kept', { skip: process.platform === 'win32' && 'links' }, (t) => {
  const root = folder(t);
  mkdirSync(join(root, 'd'));
  writeFileSync(join(root, 'd/f'), 'kept');
  symlinkSync('d', join(root, 'to-directory'));
  symlinkSync('d/f', join(root, 'to-file'));
  for (const path of ['to-directory/f', 'to-file']) assert.equal(keptIn(root, path).find(path), undefined);
});

test('one file that is shared alone is never what a link leads to that was put in its place', async (t) => {
  if (process.platform === 'win32') return t.skip('links');
  const [root, outside] = [folder(t), folder(t)];
  mkdirSync(join(root, 'd'));
  for (const place of [join(root, 'd/f'), join(root, 'd/g'), join(outside, 'f')]) writeFileSync(place, 'text');
  symlinkSync('d/f', join(root, 'link'));
  const direct = await openLocalSource(join(root, 'd/f'));
  const linked = await openLocalSource(join(root, 'link'));
  for (const source of [direct, linked]) await (await source.open('', scope)).close();
  // Another file in its place is what whoever serves it put there.
  renameSync(join(root, 'd/g'), join(root, 'd/f'));
  for (const source of [direct, linked]) await (await source.open('', scope)).close();
  const refused = async (): Promise<void> => {
    for (const source of [direct, linked]) {
      await assert.rejects(source.open('', scope), { code: 'NOT_FOUND' });
      assert.equal(await source.stat('', scope), undefined);
    }
  };
  rmSync(join(root, 'd/f'));
  symlinkSync(join(outside, 'f'), join(root, 'd/f'));
  await refused();
  rmSync(join(root, 'd'), { recursive: true });
  symlinkSync(outside, join(root, 'd'));
  await refused();
});

test('what changed within two seconds, and what is long, is not worth keeping', (t) => {
  const root = folder(t);
  writeFileSync(join(root, 'small'), 'x');
  writeFileSync(join(root, 'large'), Buffer.alloc(64 * 1024 + 1));
  const [small, large] = ['small', 'large'].map((name) => statSync(join(root, name), { bigint: true }));
  assert.ok(small && large);
  const later = Date.now() + 10_000;
  assert.equal(HotFiles.takes(small), false);
  assert.equal(HotFiles.takes(small, later), true);
  assert.equal(HotFiles.takes(large, later), false);
  assert.equal(HotFiles.takes(small, Date.now() - 10_000), false, 'a change in the future tells nothing');
});

test('no more than 16 MiB and 4,096 files are kept, those asked for last', (t) => {
  const root = folder(t);
  const hot = new HotFiles(root);
  const keep = (name: string, length: number) => {
    writeFileSync(join(root, name), 'x');
    hot.keep(name, statSync(join(root, name), { bigint: true }), Buffer.alloc(length));
  };
  for (let n = 0; n < 300; n += 1) {
    keep(`long${n}`, 64 * 1024);
    assert.ok(hot.find('long0'), 'asked for again and again');
  }
  const found = Array.from({ length: 300 }, (_, n) => n).filter((n) => hot.find(`long${n}`));
  assert.equal(found.length, 256);
  assert.deepEqual(found.slice(0, 2), [0, 45]);
  for (let n = 0; n < 4200; n += 1) keep(`short${n}`, 1);
  const short = Array.from({ length: 4200 }, (_, n) => n).filter((n) => hot.find(`short${n}`));
  assert.equal(short.length, 4096);
});

test('a source gives a file from memory once it has read it whole, and never what it has become', async (t) => {
  const root = folder(t);
  const place = join(root, 'f');
  writeFileSync(place, 'first');
  const source = await openLocalSource(root);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 60_000 });
  const cold = await source.open('f', scope);
  assert.equal(await bytesOf(cold), 'first');
  await cold.close();
  const hot = await source.open('f', scope);
  assert.deepEqual(hot.readWhole?.(), Buffer.from('first'), 'at once');
  assert.deepEqual(hot.entry, cold.entry);
  const [chunk] = await hot.read({ start: 1, end: 3 }).toArray();
  assert.equal(String(chunk), 'ir');
  const target = Buffer.alloc(10);
  assert.equal(await hot.readAt?.(target, 2), 3);
  assert.equal(await hot.readAt?.(target, 9), 0);
  await nextTurn();
  writeFileSync(place, 'second');
  const changed = await source.open('f', scope);
  assert.equal(await bytesOf(changed), 'second');
  await changed.close();
});

test('a file that changes while it is read whole fails, and is not kept', async (t) => {
  const root = folder(t);
  const place = join(root, 'f');
  writeFileSync(place, 'first');
  const source = await openLocalSource(root);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 60_000 });
  const file = await source.open('f', scope);
  writeFileSync(place, 'longer than first');
  await assert.rejects(async () => file.readWhole?.(), { code: 'SOURCE_CHANGED' });
  writeFileSync(place, '');
  await assert.rejects(async () => file.readWhole?.(), { code: 'TRUNCATED' });
  await file.close();
  const again = await source.open('f', scope);
  assert.equal(again.entry.size, 0);
  await again.close();
});
