import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { identityOf } from '#xfer/transports/local/attributes.js';
import { SettledPath } from '#xfer/transports/local/settled-path.js';
import { openLocalSource } from '#xfer/transports/local/source.js';

const scope = { signal: new AbortController().signal };
const LATER_MS = 60_000;
/** What has the names of what is inside, and is of another size. */
const OUTSIDE = 'outside of the share';

/** `root/a/b`, and beside the root a folder with the same names, all of which are as old as `laterMs` makes them. */
function makeTree(t: TestContext): { root: string; outside: string } {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'xfer-settled-')));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [parent, text] of [
    ['root/a/b', 'in'],
    ['outside', OUTSIDE],
  ] as const) {
    mkdirSync(join(folder, parent), { recursive: true });
    for (let n = 0; n < 300; n += 1) writeFileSync(join(folder, parent, `f${n}`), text);
  }
  return { root: join(folder, 'root'), outside: join(folder, 'outside') };
}

function find(root: string, path: string, nowMs: number = Date.now() + LATER_MS): SettledPath | undefined {
  const place = join(root, path);
  return SettledPath.find(root, place, identityOf(lstatSync(place, { bigint: true })), nowMs);
}

const told = process.platform === 'linux' && [0xef53, 0x01021994].includes(statfsSync(tmpdir()).type);
const skip = !told && 'only where the file system tells each change';

const changes: Record<string, (root: string, outside: string) => void> = {
  'the directory was swapped for a link': (root, outside) => {
    renameSync(join(root, 'a/b'), join(root, 'a/away'));
    symlinkSync(outside, join(root, 'a/b'));
  },
  'it was swapped and put back': (root, outside) => {
    const { atime, mtime } = lstatSync(join(root, 'a'));
    renameSync(join(root, 'a/b'), join(root, 'a/away'));
    symlinkSync(outside, join(root, 'a/b'));
    unlinkSync(join(root, 'a/b'));
    renameSync(join(root, 'a/away'), join(root, 'a/b'));
    utimesSync(join(root, 'a'), atime, mtime);
  },
  'the one above it was swapped and put back': (root, outside) => {
    renameSync(join(root, 'a'), join(root, 'away'));
    symlinkSync(outside, join(root, 'a'));
    unlinkSync(join(root, 'a'));
    renameSync(join(root, 'away'), join(root, 'a'));
  },
  'it was taken away': (root) => renameSync(join(root, 'a/b'), join(root, 'away')),
  'the one above it was taken away': (root) => renameSync(join(root, 'a'), join(root, 'away')),
};

for (const [what, change] of Object.entries(changes)) {
  test(`a path counts no more once ${what}`, { skip }, (t) => {
    const { root, outside } = makeTree(t);
    const path = find(root, 'a/b');
    assert.ok(path);
    assert.ok(path.isStill());
    writeFileSync(join(root, 'a/b/new'), '');
    assert.ok(path.isStill(), 'what is in the directory may change');
    change(root, outside);
    assert.equal(path.isStill(), false);
  });
}

test('a path that was changed within two seconds, or by way of a link, is not taken', { skip }, (t) => {
  const { root, outside } = makeTree(t);
  const changedMs = lstatSync(join(root, 'a')).ctimeMs;
  assert.ok(find(root, 'a/b', changedMs + 2001));
  assert.equal(find(root, 'a/b', changedMs + 1999), undefined);
  assert.equal(find(root, 'a/b', changedMs - LATER_MS), undefined, 'a change in the future tells nothing');
  symlinkSync('a', join(root, 'link'));
  assert.equal(find(root, 'link/b'), undefined);
  assert.equal(SettledPath.find(root, outside, '', Date.now() + LATER_MS), undefined, 'nothing outside');
  assert.equal(SettledPath.find(root, join(root, 'a/b'), '0:0', Date.now() + LATER_MS), undefined, 'another one');
});

test('of a directory that is swapped while it is listed nothing but what it holds is told', async (t) => {
  const { root, outside } = makeTree(t);
  const source = await openLocalSource(root);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + LATER_MS });
  const sizes = new Set<number | undefined>();
  let count = 0;
  for await (const { size } of source.list('a/b', scope)) {
    sizes.add(size);
    count += 1;
    if (count === 10) changes['the directory was swapped for a link']?.(root, outside);
  }
  assert.equal(count, 300);
  assert.deepEqual([...sizes], [2]);
});
