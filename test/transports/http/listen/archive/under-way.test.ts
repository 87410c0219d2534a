import assert from 'node:assert/strict';
import { chmodSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32, gunzipSync } from 'node:zlib';
import { collect, patternBytes } from '../../../../support/fixtures.js';
import { assertNoMoreThan, countOpen } from '../../../../support/leaks.js';
import { makeSparseFile } from '../../../../support/trees.js';
import { diskSource, get, serve, temporaryFolder, until } from '../rig.js';
import { age, fetchWhole, memberBytes, responseOf, serveLocal, zipMembers } from './archive-rig.js';

const FORMS = ['zip', 'tar', 'tar.gz'] as const;

/** More than all buffers between a file and a client that does not read. */
const LARGE = 64 << 20;

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

test('one client alone has not all of the room for archives', { timeout: 30_000 }, async (t) => {
  const root = await temporaryFolder(t);
  writeFileSync(join(root, 'large'), patternBytes(LARGE));
  const { port } = await serveLocal(t, root, { archives: { compressed: 4, underWay: 4 } });
  const from = (localAddress: string, form: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const asked = request(
        { host: '127.0.0.1', port, localAddress, path: `/?archive=${form}`, agent: false },
        resolve,
      );
      asked.on('error', reject).end();
      t.after(() => asked.destroy());
    });
  const statusFrom = async (localAddress: string, form: string): Promise<number | undefined> => {
    const response = await from(localAddress, form);
    response.on('error', () => undefined).pause();
    return response.statusCode;
  };
  for (const form of ['tar', 'tgz']) assert.equal(await statusFrom('127.0.0.2', form), 200);
  assert.equal(await statusFrom('127.0.0.2', 'zip'), 503, 'half of the room is for others');
  assert.equal(await statusFrom('127.0.0.3', 'zip'), 200);
});
