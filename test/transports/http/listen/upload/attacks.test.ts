/** The attacks on what takes uploads: names, links, active content, quota, slow bodies, too many of them. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import type { Entry, Scope, Space } from '#xfer/transport.js';
import { LocalSink } from '#xfer/transports/local/sink.js';
import { LocalSource } from '#xfer/transports/local/source.js';
import { patternBytes } from '../../../../support/fixtures.js';
import { assertNoMoreThan, countOpen } from '../../../../support/leaks.js';
import { whileSwapped } from '../../../../support/swapping.js';
import { exchange } from '../rig.js';
import { ask, type Box, namesIn, openBox, put } from './upload-rig.js';

const LIMIT = { timeout: 120_000 };

const NAMES = [
  ...['../x', '..\\x', '/abs', 'C:\\x', 'x\0.txt', '.', '..', '', '.hidden', 'n'.repeat(5000), 'a/b/c', '../../x/..'],
  ...['.f.0123456789ab.xfer-part', '~', '-rf', 'a\r\nb', '\u202ex', '../root_evil/x', '....//x', '%2e%2e%2fx'],
];

/** What is beside the folder, and must stay as it is. */
async function makeOutside(box: Box): Promise<void> {
  await mkdir(join(box.above, 'root_evil'));
  await writeFile(join(box.above, 'root_evil', 'secret'), 'secret');
}

async function assertNothingOutside({ above }: Box): Promise<void> {
  const names = (await readdir(above, { recursive: true })).filter((name) => !/^(root|records)(\/|$)/.test(name));
  assert.deepEqual(names.toSorted(), ['root_evil', 'root_evil/secret']);
  assert.equal(await readFile(join(above, 'root_evil', 'secret'), 'utf8'), 'secret');
}

function formFor(name: string): string {
  const text = `--B\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\n\r\nx\r\n--B--\r\n`;
  // One character for each byte, as it is sent.
  const body = Buffer.from(text).toString('latin1');
  const fields = `Content-Type: multipart/form-data; boundary=B\r\nContent-Length: ${body.length}\r\n`;
  return `POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${fields}\r\n${body}`;
}

test('no name of an upload leaves its folder, and none that cannot be asked for is taken', LIMIT, async (t) => {
  const box = await openBox(t, { overwrite: true, manage: true });
  await makeOutside(box);
  for (const name of NAMES) {
    await exchange(box.port, formFor(name));
    const metadata = `filename ${Buffer.from(name).toString('base64')}`;
    const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Length': '0', 'Upload-Metadata': metadata };
    await fetch(`${box.url}/`, { method: 'POST', headers });
    const form = new URLSearchParams({ action: 'folder', name });
    await fetch(`${box.url}/`, { method: 'POST', body: form, redirect: 'manual' });
    const rename = new URLSearchParams({ action: 'rename', name: 'x', to: name });
    await fetch(`${box.url}/`, { method: 'POST', body: rename, redirect: 'manual' });
  }
  const signs = ['%', '25', '2e', '2f', '.', '/', '5c', '\\'];
  const ups = [
    '/',
    '/..%2f',
    '/%2e%2e/',
    '/../',
    '/%2e%2e%2f',
    '/..%5c',
    '/%252e%252e%252f',
    '/./',
    '//',
    '/sub%2f..%2f..%2f',
  ];
  for (const up of [...ups, ...signs.flatMap((a) => signs.map((b) => `/${a}${b}${a}/`))]) {
    for (const rest of ['x', 'root_evil/secret', '../root_evil/secret']) {
      for (const method of ['PUT', 'MKCOL', 'DELETE']) {
        await exchange(
          box.port,
          `${method} ${up}${rest} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
        );
      }
      const move = `MOVE /x HTTP/1.1\r\nHost: test\r\nConnection: close\r\nDestination: ${up}${rest}\r\n\r\n`;
      await exchange(box.port, move);
    }
  }
  await assertNothingOutside(box);
  const hidden = (await namesIn(box.root)).filter((name) => /(^|\/)\./.test(name));
  assert.deepEqual(hidden, []);
});

test('no upload goes through a link that leads out, and a link goes alone', LIMIT, async (t) => {
  const box = await openBox(t, { overwrite: true, manage: true });
  await makeOutside(box);
  await symlink('../root_evil/secret', join(box.root, 'file'));
  await symlink('../root_evil/new', join(box.root, 'dangling'));
  await symlink('../root_evil', join(box.root, 'folder'));
  await mkdir(join(box.root, 'holder'));
  await symlink('../../root_evil', join(box.root, 'holder', 'folder'));
  for (const name of ['file', 'dangling', 'folder', 'folder/x', 'folder/secret', 'holder/folder/x']) {
    assert.ok((await put(`${box.url}/${name}`, 'x')).status >= 400, name);
    assert.ok((await fetch(`${box.url}/${name}/`, { method: 'MKCOL' })).status >= 400, name);
    const headers = { Destination: `/${name}/m` };
    await put(`${box.url}/source`, 'x');
    assert.ok((await fetch(`${box.url}/source`, { method: 'MOVE', headers })).status >= 400, name);
  }
  assert.ok((await fetch(`${box.url}/folder/secret`, { method: 'DELETE' })).status >= 400);
  assert.equal((await fetch(`${box.url}/holder`, { method: 'DELETE' })).status, 204);
  assert.equal((await fetch(`${box.url}/folder`, { method: 'DELETE' })).status, 204);
  await assertNothingOutside(box);
});

test('a folder that is swapped for a link meanwhile leads nothing out', LIMIT, async (t) => {
  const box = await openBox(t, { overwrite: true, manage: true });
  await makeOutside(box);
  await mkdir(join(box.root, 'd'));
  const one = (line: string, body = ''): string =>
    `${line} HTTP/1.1\r\nHost: test\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  let done = 0;
  await whileSwapped({ at: join(box.root, 'd'), outside: join(box.above, 'root_evil') }, async () => {
    for (let round = 0; round < 50; round += 1) {
      const requests = Array.from({ length: 20 }, (_, at) => [
        one(`PUT /d/f${at}`, 'some bytes'),
        one(`MKCOL /d/n${round}-${at}`),
        one(`DELETE /d/secret`),
        `MOVE /d/f${at} HTTP/1.1\r\nHost: test\r\nDestination: /d/m${at}\r\n\r\n`,
        one(`DELETE /d/n${round}-${at}`),
      ]).flat();
      const last = 'GET /none HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n';
      const answer = await exchange(box.port, requests.join('') + last).catch(() => '');
      done += answer.match(/HTTP\/1\.1 20[14] /g)?.length ?? 0;
    }
  });
  assert.ok(done > 0, 'what is inside was done');
  await assertNothingOutside(box);
});

test('what was uploaded runs nothing in our name, and is no page, rule or program of ours', LIMIT, async (t) => {
  const box = await openBox(t);
  for (const name of ['x.html', 'x.HTM', 'x.svg', 'x.xhtml', 'x.xml', 'index.html', 'serve.json', 'x.txt']) {
    await put(`${box.url}/${name}`, '<script>alert(1)</script>');
    const answer = await fetch(`${box.url}/${name}`);
    const policy = answer.headers.get('content-security-policy');
    assert.equal(policy?.startsWith('sandbox;') ?? false, !/json|txt/.test(name), name);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  }
  assert.match(await (await fetch(`${box.url}/`)).text(), /<title>Index of/);
  const second = await box.again();
  assert.match(await (await fetch(`${second.url}/`)).text(), /<title>Index of/);
  for (const options of [{ site: true }, { single: true }, { cgi: {} }]) {
    await assert.rejects(openBox(t, {}, options), /whoever|uploads, and a site or programs/);
  }
});

test('a quota holds for all that is there and all that comes, also at once and without a length', LIMIT, async (t) => {
  const box = await openBox(t, { quotaBytes: 10_000, manage: true });
  await writeFile(join(box.root, 'before'), Buffer.alloc(4000));
  assert.deepEqual(await ask(`${box.url}/large`, { method: 'PUT', body: 'x'.repeat(6001) }), [
    507,
    'All that is here may have 10000 bytes, and it would be more.',
  ]);
  const head = (name: string): string =>
    `PUT /${name} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: 3000\r\nExpect: 100-continue\r\n\r\n`;
  const lines = await Promise.all(['a', 'b', 'c', 'd'].map((name) => open(box, head(name))));
  const first = await Promise.all(lines.map((line) => line.next(/\r\n\r\n/)));
  assert.deepEqual(first.map((text) => text.slice(9, 12)).toSorted(), ['100', '100', '507', '507']);
  for (const line of lines) line.socket.destroy();
  const chunk = `${(3000).toString(16)}\r\n${'x'.repeat(3000)}\r\n`;
  const chunked = `PUT /c HTTP/1.1\r\nHost: test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}0\r\n\r\n`;
  await settled(box, ['before']);
  assert.match(await exchange(box.port, chunked), /^HTTP\/1\.1 507 /);
  await settled(box, ['before']);
  assert.equal((await put(`${box.url}/fits`, 'x'.repeat(6000))).status, 201);
  assert.equal((await put(`${box.url}/more`, 'x')).status, 507);
  await fetch(`${box.url}/fits`, { method: 'DELETE' });
  assert.equal((await put(`${box.url}/more`, 'x'.repeat(6000))).status, 201);
});

test('what others moved away makes room for what has no length, too', LIMIT, async (t) => {
  const box = await openBox(t, { quotaBytes: 10_000 });
  const bytes = Buffer.alloc(6000);
  const chunked = `Transfer-Encoding: chunked\r\n\r\n${bytes.length.toString(16)}\r\n${bytes}\r\n0\r\n\r\n`;
  const chunkedPut = `PUT /c HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${chunked}`;
  assert.equal((await put(`${box.url}/a`, bytes)).status, 201);
  assert.match(await exchange(box.port, chunkedPut), /^HTTP\/1\.1 507 /);
  await settled(box, ['a']);
  await rename(join(box.root, 'a'), join(box.above, 'x'));
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.match(await exchange(box.port, chunkedPut), /^HTTP\/1\.1 201 /);
});

interface Line {
  readonly socket: Socket;
  /** All that came, once it matches. */
  next(pattern: RegExp): Promise<string>;
}

async function open({ port }: Box, text: string): Promise<Line> {
  const socket = connect(port, '127.0.0.1');
  let came = '';
  socket
    .on('error', () => undefined)
    .on('data', (chunk) => {
      came += chunk;
    });
  socket.write(text);
  const next = async (pattern: RegExp): Promise<string> => {
    while (!pattern.test(came)) await new Promise((resolve) => setTimeout(resolve, 2));
    return came;
  };
  return { socket, next };
}

async function settled({ root }: Box, names: readonly string[]): Promise<void> {
  while ((await namesIn(root)).join() !== names.join()) await new Promise((resolve) => setTimeout(resolve, 2));
}

test('a body that stalls, or brings next to nothing, is cut; a slow one is not', LIMIT, async (t) => {
  const box = await openBox(t, {}, { idleTimeoutMs: 400 });
  const head = (name: string): string => `PUT /${name} HTTP/1.1\r\nHost: test\r\nContent-Length: 20000\r\n\r\n`;
  const [stalled, trickle, slow] = await Promise.all(
    ['stalled', 'trickle', 'slow'].map((name) => open(box, head(name))),
  );
  const drips = setInterval(() => trickle?.socket.write('x'), 20);
  const flow = setInterval(() => slow?.socket.write('x'.repeat(400)), 20);
  t.after(() => {
    clearInterval(drips);
    clearInterval(flow);
  });
  assert.match((await stalled?.next(/\n\r?\n|$/)) ?? '', /^/);
  await Promise.all(
    [stalled, trickle].map((line) => line?.next(/^HTTP\/1\.1 408 [\s\S]*Too little came for too long/)),
  );
  assert.match((await slow?.next(/^HTTP/)) as string, /^HTTP\/1\.1 201 /);
  clearInterval(drips);
  await settled(box, ['slow']);
});

test('too many uploads at once are asked to wait, and downloads go on', LIMIT, async (t) => {
  const box = await openBox(t, { mostAtOnce: 3 });
  await writeFile(join(box.root, 'there'), 'x');
  const head = (name: string): string => `PUT /${name} HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nx`;
  const lines = await Promise.all(['a', 'b', 'c'].map((name) => open(box, head(name))));
  while ((await namesIn(box.root)).length < 4) await new Promise((resolve) => setTimeout(resolve, 2));
  const refused = await put(`${box.url}/d`, 'x');
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '5']);
  assert.equal(await (await fetch(`${box.url}/there`)).text(), 'x');
  const busy = await put(`${box.url}/a`, 'x');
  assert.match(await busy.text(), /Another upload of that name is under way/);
  for (const { socket } of lines) socket.destroy();
  await settled(box, ['there']);
  assert.equal((await put(`${box.url}/d`, 'x')).status, 201);
});

/** A disk that takes so many bytes. */
class FullSink extends LocalSink {
  override async draft(entry: Entry, scope: Scope) {
    const draft = await super.draft(entry, scope);
    const write = draft.write.bind(draft);
    draft.write = async (start, within) => {
      const stream = await write(start, within);
      const after = stream._writev?.bind(stream);
      stream._writev = (chunks, done) => {
        if (start > 500_000) done(new XferError('NO_SPACE', 'write: no space left on device'));
        else after?.(chunks, done);
      };
      stream._write = (_chunk, _encoding, done) => done(new XferError('NO_SPACE', 'write: no space left on device'));
      return stream;
    };
    return draft;
  }
}

test('a disk that is full, or will be, is told before and after, and no part is left', LIMIT, async (t) => {
  const box = await openBox(t);
  const receive = new FullSink(box.root, { guarded: true });
  const full = await openBox(t, {}, { receive, share: new LocalSource(box.root) });
  const bytes = patternBytes(3_000_000);
  assert.deepEqual(await ask(`${full.url}/f`, { method: 'PUT', body: bytes as unknown as BodyInit }), [
    507,
    'The disk has no room for it.',
  ]);
  await settled(box, []);
  class SmallSource extends LocalSource {
    override async space(scope: Scope): Promise<Space> {
      return { ...(await super.space(scope)), blockBytes: 1000, availableBlocks: 2 };
    }
  }
  const small = await openBox(
    t,
    {},
    { share: new SmallSource(box.root), receive: new LocalSink(box.root, { guarded: true }) },
  );
  const head =
    'PUT /f HTTP/1.1\r\nHost: test\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2001\r\n\r\n';
  assert.match(await exchange(small.port, head), /^HTTP\/1\.1 507 [\s\S]*The disk has no room for it/);
  assert.equal((await put(`${small.url}/f`, 'x'.repeat(2000))).status, 201);
});

test('clients that go away leave no file open, and no part', LIMIT, async (t) => {
  const box = await openBox(t);
  await put(`${box.url}/first`, 'x');
  const before = countOpen();
  for (let round = 0; round < 10; round += 1) {
    const texts = [
      ...Array.from(
        { length: 10 },
        (_, at) => `PUT /f${at} HTTP/1.1\r\nHost: test\r\nContent-Length: 99999\r\n\r\nabc`,
      ),
      ...Array.from({ length: 10 }, (_, at) => formFor(`g${at}`).slice(0, -12)),
      'PUT /f HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
    ];
    const lines = await Promise.all(texts.map((text) => open(box, text)));
    await new Promise(setImmediate);
    for (const { socket } of lines) socket.destroy();
  }
  await settled(box, ['first']);
  await assertNoMoreThan(before, 20_000);
});

test('a part on its way is neither listed nor given, also where hidden names are', LIMIT, async (t) => {
  const box = await openBox(t, {}, { hidden: true });
  const line = await open(box, 'PUT /f HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nabc');
  while ((await namesIn(box.root)).length === 0) await new Promise(setImmediate);
  const [part] = await namesIn(box.root);
  assert.ok((await stat(join(box.root, part as string))).isFile());
  assert.equal((await fetch(`${box.url}/${part}`)).status, 404);
  assert.doesNotMatch(await (await fetch(`${box.url}/?json`)).text(), /xfer-part/);
  assert.ok((await put(`${box.url}/${part}`, 'x')).status >= 400);
  line.socket.destroy();
  await settled(box, []);
});
