/** What `xfer serve` shares: several paths, one file, standard input. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runXfer, startXfer } from '../../support/run-xfer.js';

const limit = { timeout: 20_000 };

function folder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'xfer-share-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of [
    ['a.iso', 'iso'],
    ['.rc', 'rc'],
    ['photos/p.jpg', 'p'],
    ['photos/.hidden', 'h'],
    ['x/a.iso', 'other'],
  ] as const) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

async function serve(t: TestContext, words: string[]) {
  const running = startXfer(['serve', '-q', '-p', '0', '-b', '127.0.0.1', ...words]);
  t.after(() => running.stop());
  const [url] = await running.waitForLine(/http:\/\/127\.0\.0\.1:\d+\//);
  const get = async (path: string) => {
    const response = await fetch(new URL(path, url));
    return response.ok ? response.text() : response.status;
  };
  const names = async (path: string) => {
    const response = await fetch(new URL(path, url), { headers: { accept: 'application/json' } });
    return ((await response.json()) as { entries: { name: string }[] }).entries.map(({ name }) => name);
  };
  return { running, get, names };
}

test('several paths are shared under their names, and nothing beside them', limit, async (t) => {
  const root = folder(t);
  const { get, names } = await serve(t, [join(root, 'a.iso'), `${root}/photos/`, join(root, '.rc')]);
  assert.deepEqual((await names('/')).sort(), ['.rc', 'a.iso', 'photos']);
  assert.equal(await get('/a.iso'), 'iso');
  assert.equal(await get('/.rc'), 'rc', 'it was named');
  assert.equal(await get('/photos/p.jpg'), 'p');
  assert.equal(await get('/photos/.hidden'), 404);
  assert.equal(await get('/x/a.iso'), 404);
  assert.deepEqual(await names('/photos/'), ['p.jpg']);
});

test('one file is shared under its name', limit, async (t) => {
  const { get, names } = await serve(t, [join(folder(t), '.rc')]);
  assert.deepEqual(await names('/'), ['.rc']);
  assert.deepEqual([await get('/.rc'), await get('/a.iso')], ['rc', 404]);
});

test('two paths of the same name are refused, and so is a missing one', limit, async (t) => {
  const root = folder(t);
  const same = await runXfer(['serve', '-p', '0', join(root, 'a.iso'), join(root, 'x', 'a.iso')]);
  assert.equal(same.exitCode, 2);
  assert.match(same.stderr, /called a\.iso, too\n {2}hint: share the directory/);
  const missing = await runXfer(['serve', '-p', '0', join(root, 'a.iso'), join(root, 'none')]);
  assert.equal(missing.exitCode, 3);
});
