import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import type { Entry } from '#xfer/transport.js';
import { diskSource, get, serve, temporaryFolder } from '../rig.js';
import { fetchWhole, memberBytes, serveLocal, zipMembers } from './archive-rig.js';

const FORMS = ['zip', 'tar', 'tar.gz'] as const;

test('links inside are files, links out are not there, and loops end', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const root = join(folder, 'root');
  mkdirSync(join(root, 'sub'), { recursive: true });
  mkdirSync(join(folder, 'outside'));
  writeFileSync(join(folder, 'outside', 'secret'), 'MARKER');
  writeFileSync(join(root, 'sub', 'file'), 'inside');
  symlinkSync('sub/file', join(root, 'link'));
  symlinkSync('sub', join(root, 'linked'));
  symlinkSync('..', join(root, 'sub', 'loop'));
  symlinkSync('../outside', join(root, 'outdir'));
  symlinkSync('../outside/secret', join(root, 'out'));
  symlinkSync('nowhere', join(root, 'broken'));
  const { url } = await serveLocal(t, root);
  const zip = (await fetchWhole(`${url}/?archive=zip`)).body;
  const members = zipMembers(zip);
  assert.deepEqual(
    members.map(({ name }) => name),
    ['', 'link', 'linked/', 'linked/file', 'sub/', 'sub/file', 'XFER-LEFT-OUT.txt'].map((name) => `root/${name}`),
  );
  for (const member of members.filter(({ name }) => /file$|link$/.test(name))) {
    assert.equal(memberBytes(zip, member).toString(), 'inside');
    assert.equal(member.mode & 0o170000, 0o100000, 'a regular file');
  }
  const note = memberBytes(zip, members.at(-1) as (typeof members)[number]).toString();
  assert.equal(
    note,
    'This archive is not complete. Left out:\n\n' +
      'root/linked/loop: it leads back to a folder that it is in\n' +
      'root/sub/loop: it leads back to a folder that it is in\n',
  );
  for (const form of FORMS) assert.ok(!(await fetchWhole(`${url}/?archive=${form}`)).body.includes('MARKER'));
});

test('hidden names are in it only where they are served', { timeout: 10_000 }, async (t) => {
  const root = await temporaryFolder(t);
  mkdirSync(join(root, '.git'));
  writeFileSync(join(root, '.git', 'config'), 'x');
  writeFileSync(join(root, '.env'), 'x');
  writeFileSync(join(root, 'seen'), 'x');
  const names = async (hidden: boolean) => {
    const { url } = await serveLocal(t, root, { hidden });
    return zipMembers((await fetchWhole(`${url}/?archive=zip`)).body).map(({ name }) => name.replace(/^[^/]*\//, ''));
  };
  assert.deepEqual(await names(false), ['', 'seen']);
  assert.deepEqual(await names(true), ['', '.env', '.git/', '.git/config', 'seen']);
});

test('modes are those of the files, without set-user-ID', { timeout: 10_000 }, async (t) => {
  const root = await temporaryFolder(t);
  writeFileSync(join(root, 'run'), 'x');
  chmodSync(join(root, 'run'), 0o6751);
  mkdirSync(join(root, 'sub'), { mode: 0o700 });
  const { url } = await serveLocal(t, root);
  const members = zipMembers((await fetchWhole(`${url}/?archive=zip`)).body);
  const modes = process.platform === 'win32' ? [0o100666, 0o040777] : [0o100751, 0o040700];
  assert.deepEqual(
    members.slice(1).map(({ mode }) => mode),
    modes,
  );
});

test('no name climbs out, and two names never become one', { timeout: 10_000 }, async (t) => {
  const share = diskSource('/none', 'C:\\..\\top');
  const names = ['..', '.', '', 'a/../../b', '/abs', 'nul\0', '..\\..\\evil', '\\abs', 'C:\\x', 'x\\y', 'x%5Cy', 'ok'];
  names.push('z'.repeat(66_000), 'half \ud83d');
  share.stat = (path) => Promise.resolve({ path, kind: 'directory' });
  share.list = async function* () {
    for (const path of names) yield { path, kind: 'file', size: 0, mode: 0o644 };
  };
  const { url } = await serve(t, '/none', { share, hidden: true });
  const zip = (await fetchWhole(`${url}/?archive=zip`)).body;
  const members = zipMembers(zip);
  const found = members.map(({ name }) => name);
  for (const name of found) {
    assert.match(name, /^top\//);
    assert.ok(!/\\|\0|^[a-z]:|^\//i.test(name) && !name.split('/').includes('..'), name);
  }
  assert.equal(new Set(found).size, found.length);
  assert.deepEqual(found.slice(1, -1).sort(), [
    'top/%5Cabs',
    'top/..%5C..%5Cevil',
    'top/C:%5Cx',
    'top/ok',
    'top/x%5Cy',
  ]);
  const note = memberBytes(zip, members.at(-1) as (typeof members)[number]).toString();
  for (const text of ['top/x%5Cy: another file', 'top/nul\\x00: its name', 'top/..: its name', 'longer than 65534']) {
    assert.ok(note.includes(text), text);
  }
  assert.doesNotMatch(note, /[\0\x1b]/);
});

test('what cannot be read is left out, and the archive says so under a free name', { timeout: 10_000 }, async (t) => {
  const root = await temporaryFolder(t);
  for (const name of ['open', 'shut', 'xfer-left-out.TXT']) writeFileSync(join(root, name), name);
  for (const name of ['locked', 'streamed']) mkdirSync(join(root, name));
  chmodSync(join(root, 'shut'), 0o200);
  const share = diskSource(root, 'share');
  const { open, list } = share;
  share.open = (path, scope) =>
    path === 'shut' ? Promise.reject(new XferError('DENIED', 'open: no')) : (open?.(path, scope) as never);
  share.list = async function* (path, scope) {
    if (path === 'locked') throw new XferError('DENIED', 'list: no');
    const found = (list?.(path, scope) ?? []) as AsyncIterable<Entry>;
    for await (const entry of found) yield entry;
    if (path === 'streamed') yield { path: 'streamed/pipe', kind: 'file' };
  };
  const { url } = await serve(t, root, { share });
  const zip = (await fetchWhole(`${url}/?archive=zip`)).body;
  const members = zipMembers(zip);
  assert.deepEqual(
    members.map(({ name }) => name),
    ['', 'locked/', 'open', 'streamed/', 'xfer-left-out.TXT', 'XFER-LEFT-OUT-2.txt'].map((name) => `share/${name}`),
  );
  assert.equal(
    memberBytes(zip, members.at(-1) as (typeof members)[number]).toString(),
    'This archive is not complete. Left out:\n\nshare/locked/: it could not be listed\n' +
      'share/shut: it cannot be read\nshare/streamed/pipe: its length is not known before it is read\n',
  );
  assert.equal(share.opened, share.closed);
});

test('folders that never end are cut where the source cannot tell them apart', { timeout: 30_000 }, async (t) => {
  const share = diskSource('/none', 'deep');
  share.stat = (path) => Promise.resolve({ path, kind: 'directory' });
  share.list = async function* (path) {
    yield { path: path === '' ? 'd' : `${path}/d`, kind: 'directory' };
  };
  const { url } = await serve(t, '/none', { share });
  const zip = (await fetchWhole(`${url}/?archive=zip`)).body;
  const members = zipMembers(zip);
  assert.equal(members.length, 1002);
  const note = memberBytes(zip, members.at(-1) as (typeof members)[number]).toString();
  assert.match(note, /^deep(\/d){1001}: there are more than 1000 folders inside each other$/m);
});

test('a folder that may not be listed is an error and no archive', { timeout: 10_000 }, async (t) => {
  const share = diskSource('/none');
  share.stat = (path) => Promise.resolve({ path, kind: 'directory' });
  for (const [code, status] of [
    ['DENIED', 403],
    ['NO_SPACE', 503],
    ['INTERNAL', 500],
  ] as const) {
    share.list = () => {
      throw new XferError(code, 'list: no');
    };
    const { port } = await serve(t, '/none', { share });
    assert.match(await get(port, '/?archive=zip'), new RegExp(`^HTTP/1.1 ${status} `));
  }
});
