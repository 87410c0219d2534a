import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { GatheredSource } from '#xfer/gathered-source.js';
import type { Source } from '#xfer/transport.js';
import { openLocalSource } from '#xfer/transports/local/index.js';
import { collect } from './support/fixtures.js';

const scope = { signal: new AbortController().signal };

async function gathered(t: TestContext): Promise<{ source: GatheredSource; above: string }> {
  const above = mkdtempSync(join(tmpdir(), 'xfer-gathered-'));
  t.after(() => rmSync(above, { recursive: true, force: true }));
  mkdirSync(join(above, 'photos', 'old'), { recursive: true });
  writeFileSync(join(above, 'photos', 'old', 'a.jpg'), 'picture');
  writeFileSync(join(above, 'disk.iso'), 'disk');
  writeFileSync(join(above, 'secret'), 'secret');
  const sources = new Map<string, Source>();
  for (const name of ['photos', 'disk.iso']) sources.set(name, await openLocalSource(join(above, name)));
  const source = new GatheredSource(sources);
  t.after(() => source.close());
  return { source, above };
}

async function pathsOf(entries: AsyncIterable<{ path: string; kind: string }>): Promise<string[]> {
  const found: string[] = [];
  for await (const { path, kind } of entries) found.push(`${kind} ${path}`);
  return found.sort();
}

test('what each source has is below its name', async (t) => {
  const { source } = await gathered(t);
  const all = ['directory ', 'directory photos', 'directory photos/old', 'file disk.iso', 'file photos/old/a.jpg'];
  assert.deepEqual(await pathsOf(source.entries(scope)), all);
  assert.deepEqual(await pathsOf(source.list('', scope)), ['directory photos', 'file disk.iso']);
  assert.deepEqual(await pathsOf(source.list('photos', scope)), ['directory photos/old']);
  assert.deepEqual(await pathsOf(source.list('photos/old', scope)), ['file photos/old/a.jpg']);
  assert.deepEqual(await source.stat('', scope), { path: '', kind: 'directory' });
  const entry = await source.stat('photos/old/a.jpg', scope);
  assert.equal(entry?.size, 7);
  assert.ok(entry);
  assert.equal(String(await collect(await source.read(entry, { start: 1, end: 3 }, scope))), 'ic');
  assert.equal(await source.digest(entry, 'sha256', scope), await source.digest(entry, 'sha256', scope));
  for (const path of ['disk.iso', 'photos/old/a.jpg']) {
    const file = await source.open(path, scope);
    assert.equal(file.entry.path, path);
    assert.equal(String(await collect(file.read({ start: 0, end: 4 }))).length, 4);
    assert.equal(String(await file.readWhole?.()).length, file.entry.size);
    assert.equal(await file.readAt?.(Buffer.alloc(2), 0), 2);
    await file.close();
  }
});

test('nothing beside the sources can be reached', async (t) => {
  const { source, above } = await gathered(t);
  symlinkSync(join(above, 'secret'), join(above, 'photos', 'link'));
  assert.equal(await source.stat('secret', scope), undefined);
  for (const path of ['secret', 'photos/../secret', 'photos/link', 'disk.iso/..', '', 'disk.iso/x']) {
    await assert.rejects(source.open(path, scope), (error: { code?: string }) => {
      return ['NOT_FOUND', 'UNSAFE_PATH'].includes(error.code ?? '');
    });
  }
  await assert.rejects(pathsOf(source.list('secret', scope)), { code: 'NOT_FOUND' });
});

test('a way that a source lacks is refused', async (t) => {
  const { source } = await gathered(t);
  const bare = await openLocalSource('.');
  const { capabilities, name, label, identity } = bare;
  const poor: Source = {
    ...{ capabilities: { ...capabilities, ranges: false }, name, label, identity },
    entries: (walk) => bare.entries(walk),
    read: (entry, range, read) => bare.read(entry, range, read),
    close: () => bare.close(),
  };
  const both = new GatheredSource(
    new Map<string, Source>([
      ['rich', source],
      ['poor', poor],
    ]),
  );
  assert.equal(both.capabilities.ranges, false);
  await assert.rejects(both.open('poor/x', scope), { code: 'UNSUPPORTED' });
  await assert.rejects(pathsOf(both.list('poor', scope)), { code: 'UNSUPPORTED' });
});
