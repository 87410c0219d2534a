import assert from 'node:assert/strict';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseTarget } from '#xfer/transports/http/listen/target.js';
import { exchange, get, serve, temporaryFolder, until } from './rig.js';

const MARKER = 'outside-of-the-root';

/** All joins of up to `length` pieces. */
function* products(pieces: readonly string[], length: number): Generator<string> {
  if (length === 0) return;
  for (const piece of pieces) {
    yield piece;
    for (const rest of products(pieces, length - 1)) yield piece + rest;
  }
}

test('no spelling of a target leaves the root', { timeout: 30_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const root = join(folder, 'root');
  await mkdir(join(root, 'in'), { recursive: true });
  await mkdir(join(folder, 'root_evil'));
  await writeFile(join(folder, 'secret'), MARKER);
  await writeFile(join(folder, 'root_evil', 'secret'), MARKER);
  const { port } = await serve(t, root, { hidden: true });
  const alphabet = ['.', '/', '%2e', '%2f', '%252e', '%252f', '\\', '%5c', '%00'];
  const climbs = [...products(alphabet, 3)].flatMap((text) => [`/${text}secret`, `/in/${text}${text}secret`]);
  climbs.push(...['..', '%2e%2e', '.%2E', '%2e.'].flatMap((up) => [`/${up}/secret`, `/in/${up}/${up}/secret`]));
  climbs.push(...['/../root_evil/secret', '/%2e%2e%2froot_evil%2fsecret', '/..\\root_evil\\secret', '//../secret']);
  assert.ok(climbs.length > 1600);
  // Several requests share a connection, and each answer is looked at.
  for (let at = 0; at < climbs.length; at += 50) {
    const batch = climbs.slice(at, at + 50);
    const text = batch.map((path) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`).join('');
    const answers = await exchange(port, `${text}GET /end HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`);
    assert.ok(!answers.includes(MARKER), `one of ${batch.join(' ')}`);
    assert.equal(answers.match(/^HTTP\/1\.1 (?:400|404|301) /gm)?.length, batch.length + 1, batch.join(' '));
  }
});

test('targets', () => {
  const posix = { hidden: false, named: new Set<string>(), platform: 'linux' } as const;
  const path = (raw: string, platform: NodeJS.Platform = 'linux') => {
    const target = parseTarget(raw, { ...posix, platform });
    return typeof target === 'number' ? target : target.path;
  };
  const rows: Record<string, string | number> = {
    '/a/b': 'a/b',
    '/a%20b%25': 'a b%',
    '/%e9': '\udce9',
    '/\u00e9': '\udce9',
    '/%c3%a9': 'é',
    '/a%': 400,
    '/a%2': 400,
    '/a%zz': 400,
    a: 400,
    '': 400,
    '/a//b': 404,
    '//evil.example/..': 404,
    '/a%2fb': 404,
    '/a%00': 404,
    '/.': '',
    '/./a:b': 'a:b',
    '/a/%2e/b/.': 'a/b',
    '/./..': 404,
    '/././.hidden': 404,
    '/a/../b': 404,
    '/.hidden': 404,
    '/a\\b': 'a\\b',
    'http://evil.example': 400,
  };
  for (const [raw, expected] of Object.entries(rows)) assert.equal(path(raw), expected, raw);
  for (const raw of ['/a/.', '/a/%2e', '/.', '/%2E']) {
    const target = parseTarget(raw, posix);
    assert.equal(typeof target === 'object' && target.directory, true, raw);
  }
  for (const raw of ['/a%5cb', '/a\\b', '/a.txt::$DATA', '/C:']) assert.equal(path(raw, 'win32'), 404, raw);
  for (const raw of ['/GIT~1', '/git~1/config', '/ENV~1', '/a/HTACC~12', '/NPMRC%7e1', '/D~1.JSO']) {
    assert.equal(path(raw, 'win32'), 404, `${raw} is another name of what starts with a dot`);
    assert.notEqual(path(raw), 404, raw);
    const hidden = parseTarget(raw, { ...posix, hidden: true, platform: 'win32' });
    assert.equal(typeof hidden, 'object', raw);
  }
  for (const raw of ['/notes~', '/a~b', '/file.txt.~1~', '/longer-name~1', '/a~1.text']) {
    assert.notEqual(path(raw, 'win32'), 404, raw);
  }
});

test('no answer names another host or takes a line from the target', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'a\r\nX-Injected: 1'));
  await mkdir(join(folder, 'evil.example'));
  const { port } = await serve(t, folder);
  for (const target of [
    '//evil.example',
    '//evil.example/..',
    '/\\evil.example',
    '/%09/evil.example',
    '//evil.example/%2e%2e',
  ]) {
    assert.doesNotMatch(await get(port, target), /^Location: (?!\.\/)/im, target);
  }
  const answer = await get(port, '/a%0d%0aX-Injected:%201');
  assert.match(answer, /\r\nLocation: \.\/a%0D%0AX-Injected%3A%201\/\r\n/);
  assert.doesNotMatch(answer, /^X-Injected/m);
  assert.match(await get(port, `/${'%00'.repeat(5000)}`), /^HTTP\/1\.1 404 /);
});

test('hang-ups and conditional requests leave no file open', { timeout: 60_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'big'), Buffer.alloc(8 << 20));
  await utimes(join(folder, 'big'), 1, 1);
  const { port, source } = await serve(t, folder);
  const before = await openDescriptors();
  const request = 'GET /big HTTP/1.1\r\nHost: test\r\n\r\n';
  // Some hang up at the first byte, some with a second and third request waiting behind the first.
  const hangUp = (text: string) =>
    new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.on('data', () => socket.destroy());
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
    });
  for (let round = 0; round < 100; round += 1) {
    await Promise.all(Array.from({ length: 20 }, (_, index) => hangUp(request.repeat(index % 10 === 0 ? 3 : 1))));
  }
  const conditional = 'GET /big HTTP/1.1\r\nHost: test\r\nIf-None-Match: *\r\n\r\n'.repeat(100);
  const last = 'HEAD /big HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n';
  for (let round = 0; round < 20; round += 1) {
    const answers = await exchange(port, conditional + last);
    assert.equal(answers.match(/^HTTP\/1\.1 304 /gm)?.length, 100);
  }
  assert.ok(source.opened >= 4000);
  await within(5000, () => source.opened === source.closed);
  assert.equal(source.closed, source.opened);
  assert.ok((await openDescriptors()) <= before + 2);
});

/** Waits until a condition holds, or for so long; what follows says which it was. */
async function within(timeoutMs: number, holds: () => boolean): Promise<void> {
  const lastMs = performance.now() + timeoutMs;
  await until(() => holds() || performance.now() > lastMs);
}

/** Descriptors of this process that are open, where the system tells. */
async function openDescriptors(): Promise<number> {
  return (await readdir('/proc/self/fd').catch(() => [])).length;
}

test('a client that stalls is cut: in the head of a request and in a body that it does not take', {
  timeout: 10_000,
}, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'big'), Buffer.alloc(32 << 20));
  const { port, source, url } = await serve(t, folder, { headersTimeoutMs: 200, idleTimeoutMs: 400 });
  const half = exchange(port, 'GET /big HTTP/1.1\r\nHost: te');
  const silent = exchange(port, '');
  const socket = connect(port, '127.0.0.1', () => socket.write('GET /big HTTP/1.1\r\nHost: test\r\n\r\n'));
  socket.on('error', () => undefined);
  socket.pause();
  await until(() => source.opened === 1);
  assert.equal((await fetch(`${url}/`)).status, 200, 'others are served meanwhile');
  assert.match(await half, /^HTTP\/1\.1 408 /);
  await silent;
  await until(() => source.closed === 1);
  socket.destroy();
});
