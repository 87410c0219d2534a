import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import type { Entry, Source } from '#xfer/transport.js';
import { open, scope, serve } from '../hostile-server.js';

const limit = { timeout: 20_000 };

type Answers = Record<string, (request: IncomingMessage, response: ServerResponse) => void>;

const page =
  (...hrefs: string[]) =>
  (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(hrefs.map((href) => `<a href="${href}">x</a>`).join(''));
  };
const body = (text: string) => (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(200, { etag: '"1"', 'content-length': text.length }).end(text);
};
const to = (location: string) => (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(302, { location }).end();
};

async function tree(t: TestContext, answers: Answers, start = '/pub/'): Promise<{ source: Source; asked: string[] }> {
  const asked: string[] = [];
  const url = await serve(t, (request, response) => {
    asked.push(request.url ?? '');
    const answer = answers[request.url ?? ''];
    if (answer) answer(request, response);
    else response.writeHead(404).end();
  });
  return { source: await open(t, url + start, { recursive: true }), asked };
}

interface Walked {
  readonly entries: Entry[];
  readonly skipped: string[];
}

async function walked(source: Source): Promise<Walked> {
  const [entries, skipped]: [Entry[], string[]] = [[], []];
  const onSkip = (path: string, error: Error) => skipped.push(`${path}: ${(error as { code?: string }).code}`);
  for await (const entry of source.entries({ ...scope, onSkip })) entries.push(entry);
  return { entries, skipped };
}

async function textOf(source: Source, path: string): Promise<string> {
  const entry = await source.examine?.({ path, kind: 'file' }, scope);
  assert.ok(entry);
  return (await source.readWhole?.(entry, scope))?.toString() ?? '';
}

test('a folder with folders, each file by one request', limit, async (t) => {
  const { source, asked } = await tree(t, {
    '/pub/': page('a.txt', 'in/', '../', '/other'),
    '/pub/in/': page('b.txt', '/pub/', '../'),
    '/pub/a.txt': body('one'),
    '/pub/in/b.txt': body('two'),
  });
  const { entries, skipped } = await walked(source);
  assert.deepEqual(
    entries.map(({ path, kind }) => `${kind} ${path}`),
    ['directory ', 'file a.txt', 'directory in', 'file in/b.txt'],
  );
  assert.deepEqual(skipped, []);
  assert.equal(source.name, 'pub');
  assert.deepEqual([await textOf(source, 'a.txt'), await textOf(source, 'in/b.txt')], ['one', 'two']);
  assert.deepEqual(asked, ['/pub/', '/pub/in/', '/pub/a.txt', '/pub/in/b.txt']);
});

test('a file is what it is with -r too, and a page of its own name is one', limit, async (t) => {
  const { source } = await tree(t, { '/f.bin': body('x') }, '/f.bin');
  assert.deepEqual(
    (await walked(source)).entries.map(({ path, kind }) => `${kind} ${path}`),
    ['file '],
  );
  const { source: index } = await tree(t, { '/index.html': page('a') }, '/index.html');
  assert.deepEqual(
    (await walked(index)).entries.map(({ kind }) => kind),
    ['file'],
  );
});

test('a folder without a slash at its end is the same folder', limit, async (t) => {
  const { source } = await tree(t, { '/pub': page('/pub/a', '/pubb/no', '/no') }, '/pub');
  assert.deepEqual(
    (await walked(source)).entries.map(({ path }) => path),
    ['', 'a'],
  );
});

test('what redirects out of the folder is refused, folder or file', limit, async (t) => {
  const away = await serve(t, body('away'));
  const { source } = await tree(t, {
    '/pub/': page('far', 'up', 'near', 'd/'),
    '/pub/far': to(`${away}/pub/far`),
    '/pub/up': to('/secret'),
    '/pub/near': to('/pub/there'),
    '/pub/there': body('there'),
    '/pub/d/': to('/'),
    '/secret': body('secret'),
    '/': page('x'),
  });
  const { skipped } = await walked(source);
  assert.deepEqual(skipped, ['d: UNSAFE_PATH']);
  for (const path of ['far', 'up']) await assert.rejects(textOf(source, path), { code: 'UNSAFE_PATH' });
  assert.equal(await textOf(source, 'near'), 'there');
});

test('hostile names are said, a missing folder too, and the rest comes', limit, async (t) => {
  const { source } = await tree(t, { '/pub/': page('..%2fx', 'gone/', 'L'.repeat(300), 'good') });
  const { entries, skipped } = await walked(source);
  assert.deepEqual(
    entries.map(({ path }) => path),
    ['', 'gone', 'good'],
  );
  assert.deepEqual(skipped, ['../x: UNSAFE_PATH', `${'L'.repeat(300)}: UNSAFE_PATH`, 'gone: NOT_FOUND']);
});

test('folders without end are given up', limit, async (t) => {
  const url = await serve(t, page('d/'));
  const source = await open(t, `${url}/`, { recursive: true });
  const { entries, skipped } = await walked(source);
  assert.equal(entries.length, 102);
  assert.match(skipped.join(), /^(?:d\/?)+: UNSAFE_PATH$/);
});

test('a folder that is asked for in vain is asked again by the walk, and then left out', limit, async (t) => {
  const { source } = await tree(t, {
    '/pub/': page('bad/'),
    '/pub/bad/': (_, response) => response.writeHead(503).end(),
  });
  await assert.rejects(walked(source), { code: 'DISCONNECTED' });
  await assert.rejects(walked(source), { code: 'DISCONNECTED' });
  assert.deepEqual((await walked(source)).skipped, ['bad: DISCONNECTED']);
});

test('what is not listed is not asked for', limit, async (t) => {
  const { source, asked } = await tree(t, { '/pub/': page(), '/pub/x': body('x') });
  await walked(source);
  await assert.rejects(textOf(source, 'x'), { code: 'NOT_FOUND' });
  assert.deepEqual(asked, ['/pub/']);
});
