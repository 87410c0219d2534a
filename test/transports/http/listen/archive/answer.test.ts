import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32, gunzipSync } from 'node:zlib';
import { XferError } from '#xfer/errors.js';
import type { Entry } from '#xfer/transport.js';
import { collect, patternBytes } from '../../../../support/fixtures.js';
import { assertNoMoreThan, countOpen } from '../../../../support/leaks.js';
import { makeSparseFile } from '../../../../support/trees.js';
import { diskSource, get, serve, temporaryFolder, until } from '../rig.js';
import { age, fetchWhole, memberBytes, responseOf, serveLocal, zipMembers } from './archive-rig.js';

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

test('small files are read several at once, where the source can', { timeout: 20_000 }, async (t) => {
  const root = await temporaryFolder(t);
  for (let index = 0; index < 100; index += 1) writeFileSync(join(root, `f${index}`), `text ${index}`);
  for (const parallel of [true, false]) {
    const share = { ...diskSource(root), capabilities: { ranges: true, replay: true, parallel, metadata: true } };
    const { open } = share;
    let [openNow, most] = [0, 0];
    share.open = async (...args) => {
      openNow += 1;
      most = Math.max(most, openNow);
      const file = await (open?.(...args) as NonNullable<ReturnType<NonNullable<typeof open>>>);
      let closing: Promise<void> | undefined;
      const close = async (): Promise<void> => {
        await file.close();
        openNow -= 1;
      };
      return { ...file, close: () => (closing ??= close()) };
    };
    const { url } = await serve(t, root, { share });
    const zip = (await fetchWhole(`${url}/?archive=zip`)).body;
    const members = zipMembers(zip).slice(1);
    assert.equal(members.length, 100);
    for (const member of members) {
      const bytes = memberBytes(zip, member);
      assert.equal(bytes.toString(), `text ${/f(\d+)$/.exec(member.name)?.[1]}`);
      assert.equal(member.crc, crc32(bytes));
    }
    assert.equal(openNow, 0);
    assert.ok(parallel ? most > 1 && most <= 20 : most === 1, `${most} at once`);
  }
});

/** More than all buffers between a file and a client that does not read. */
const LARGE = 64 << 20;

const CHANGES: Record<string, (path: string) => void> = {
  grows: (path) => writeFileSync(path, 'more', { flag: 'a' }),
  shrinks: (path) => truncateSync(path, LARGE / 2),
  'is replaced': (path) => {
    const { mode } = statSync(path);
    truncateSync(path, 0);
    truncateSync(path, LARGE);
    chmodSync(path, mode);
  },
};

for (const [how, change] of Object.entries(CHANGES)) {
  test(`where a file ${how} while it is sent the connection is cut`, { timeout: 30_000 }, async (t) => {
    for (const form of FORMS) {
      const root = await temporaryFolder(t);
      writeFileSync(join(root, 'a'), patternBytes(100));
      // Bytes that do not shrink, so that a compressed archive does not fit into the buffers either.
      writeFileSync(join(root, 'large'), patternBytes(LARGE / 16));
      for (let part = 1; part < 16; part += 1) await appendFile(join(root, 'large'), patternBytes(LARGE / 16, part));
      age(root);
      const before = countOpen();
      const { url, listener } = await serveLocal(t, root);
      const response = await responseOf(`${url}/?archive=${form}`);
      assert.equal(response.statusCode, 200);
      change(join(root, 'large'));
      await assert.rejects(collect(response), /aborted/, form);
      await listener.close();
      await assertNoMoreThan(before);
    }
  });
}

test('a client that hangs up leaves nothing open', { timeout: 30_000 }, async (t) => {
  const root = await temporaryFolder(t);
  makeSparseFile(join(root, 'large'), LARGE);
  makeSparseFile(join(root, 'second'), LARGE);
  const { url, source } = await serve(t, root);
  const before = countOpen();
  for (let round = 0; round < 10; round += 1) {
    for (const form of ['zip', 'tar', 'tar.gz']) {
      const response = await responseOf(`${url}/?archive=${form}`);
      response.on('error', () => undefined);
      response.once('data', () => response.destroy());
      await new Promise((resolve) => response.once('close', resolve));
    }
  }
  await until(() => source.opened === source.closed);
  await assertNoMoreThan(before);
  // All room was given back: more rounds than there is room for.
  assert.equal((await fetchWhole(`${url}/?archive=tgz`)).status, 200);
});

test('only so many archives are compressed at once, and only so much is walked', { timeout: 30_000 }, async (t) => {
  const root = await temporaryFolder(t);
  writeFileSync(join(root, 'large'), patternBytes(LARGE / 4));
  for (const name of ['a', 'b', 'c']) writeFileSync(join(root, name), '');
  const { url, port } = await serveLocal(t, root, { archives: { compressed: 1, rows: 6, underWay: 2 } });
  const first = await responseOf(`${url}/?archive=tgz`);
  assert.match(await get(port, '/?archive=tgz'), /^HTTP\/1\.1 503 [\s\S]*Retry-After: 10\r\n[\s\S]*too many archives/);
  assert.match(await get(port, '/?archive=tar'), /^HTTP\/1\.1 503 [\s\S]*Retry-After: 10\r\n/, 'rows of both');
  const head = await fetch(`${url}/?archive=tgz`, { method: 'HEAD' });
  assert.equal(head.status, 503, 'its rows are too many beside the others');
  assert.equal(gunzipSync(await collect(first)).length % 512, 0);
  assert.equal((await fetchWhole(`${url}/?archive=tgz`)).status, 200);
  for (const name of ['d', 'e', 'f']) writeFileSync(join(root, name), '');
  assert.match(await get(port, '/?archive=zip'), /^HTTP\/1\.1 403 [\s\S]*ask for the folders in it/);
});
