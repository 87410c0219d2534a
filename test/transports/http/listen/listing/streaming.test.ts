import assert from 'node:assert/strict';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import type { Entry } from '#xfer/transport.js';
import { type DiskSource, diskSource, get, serve, until } from '../rig.js';
import { entryLinks } from './page-parts.js';

const TEST = { timeout: 20_000 };

/** A share whose root holds what `list` gives; `taken` counts what was asked of it, `ended` that it was let go. */
function madeUp(list: () => AsyncIterable<Entry>): { share: DiskSource; taken: () => number; ended: () => boolean } {
  const share = diskSource('/');
  let taken = 0;
  let ended = false;
  share.stat = (path) => Promise.resolve(path === '' ? { path, kind: 'directory' } : undefined);
  share.open = () => Promise.reject(new XferError('NOT_FOUND', 'open: nothing is here'));
  share.list = async function* () {
    try {
      for await (const entry of list()) {
        taken += 1;
        yield entry;
      }
    } finally {
      ended = true;
    }
  };
  return { share, taken: () => taken, ended: () => ended };
}

async function* files(count: number, from = 0): AsyncGenerator<Entry> {
  for (let index = from; index < from + count; index += 1) {
    yield { path: `file ${from === 0 ? count - index : index + 1}`, kind: 'file', size: index, mtimeMs: index * 1000 };
  }
}

function makeGate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

function open(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpGet(url, { agent: false }, (response) => resolve(response.setEncoding('utf8'))).on('error', reject);
  });
}

test('the head and the style are there while the directory is still being read', TEST, async (t) => {
  const gate = makeGate();
  const { share } = madeUp(async function* () {
    yield* files(600);
    await gate.opened;
    yield* files(600, 600);
  });
  const { url } = await serve(t, '/', { share });
  const response = await open(`${url}/`);
  let text = '';
  response.on('data', (chunk: string) => {
    text += chunk;
  });
  await until(() => text.includes('</header>'));
  assert.match(text, /<style>.*<\/style>/s);
  assert.deepEqual(entryLinks(text), []);
  gate.open();
  await until(() => response.complete);
  const links = entryLinks(text);
  assert.deepEqual([links.length, links[0], links.at(-1)], [1200, 'file%201', 'file%201200']);
});

for (const [query, row] of [
  ['', /<tr class="file">/],
  ['?json', /"kind":"file"/],
  ['?plain', /^file 10500$/m],
] as const) {
  test(`a large directory comes in its own order, while it is being read: ${query || 'page'}`, TEST, async (t) => {
    const gate = makeGate();
    const { share } = madeUp(async function* () {
      yield* files(10_500);
      await gate.opened;
      yield { path: 'the last', kind: 'directory' };
    });
    const { url } = await serve(t, '/', { share });
    const response = await open(`${url}/${query}`);
    let text = '';
    response.on('data', (chunk: string) => {
      text += chunk;
    });
    await until(() => row.test(text));
    assert.doesNotMatch(text, /the(?: |%20)last/);
    gate.open();
    await until(() => response.complete);
    assert.ok(text.indexOf('file 10500') < text.indexOf('file 10499'));
    assert.ok(text.indexOf('file 1"') < text.indexOf('the last'));
    if (query === '?json') assert.equal(JSON.parse(text).entries.length, 10_501);
    if (query === '') assert.match(text, /data-unsorted.*<p id="late-summary">1 folder · 10,500 files · /s);
  });
}

test('up to 10,000 entries are sorted and counted', TEST, async (t) => {
  const { share } = madeUp(() => files(10_000));
  const { url } = await serve(t, '/', { share });
  const page = await (await fetch(`${url}/`)).text();
  const links = entryLinks(page);
  assert.deepEqual([links.length, links[0], links.at(-1)], [10_000, 'file%201', 'file%2010000']);
  assert.match(page, /role="status">10,000 files · 47\.7 MiB</);
  const [shown, later] = page.split('</tbody><tbody class="later">');
  assert.deepEqual([entryLinks(shown ?? '').length, entryLinks(later ?? '').length], [1000, 9000]);
});

test('it is 10,000 entries that are sorted at most, whenever the end of the directory is seen', TEST, async (t) => {
  for (const [count, first] of [
    [9999, 'file%201'],
    [10_000, 'file%201'],
    [10_001, 'file%2010001'],
  ] as const) {
    const { share } = madeUp(async function* () {
      yield* files(count);
      await new Promise((resolve) => setTimeout(resolve, 30));
    });
    const { url } = await serve(t, '/', { share });
    const links = entryLinks(await (await fetch(`${url}/`)).text());
    assert.deepEqual([links.length, links[0]], [count, first]);
  }
});

test('a client that goes away lets the directory go', TEST, async (t) => {
  const { share, ended, taken } = madeUp(() => files(1_000_000));
  const { url } = await serve(t, '/', { share });
  const response = await open(`${url}/`);
  response.destroy();
  await until(ended);
  assert.ok(taken() < 1_000_000);
});

test('a client that does not read stops the reading of the directory', TEST, async (t) => {
  const { share, taken } = madeUp(() => files(1_000_000));
  const { url } = await serve(t, '/', { share });
  const response = await open(`${url}/`);
  response.pause();
  let [before, same] = [0, 0];
  await until(() => {
    same = taken() > 10_000 && taken() === before ? same + 1 : 0;
    before = taken();
    return same > 100;
  });
  assert.ok(taken() < 200_000, `${taken()} entries were read for nobody`);
  response.destroy();
});

test('HEAD reads no more than is needed to know that it can be read', TEST, async (t) => {
  const { share, taken, ended } = madeUp(() => files(1_000_000));
  const { url } = await serve(t, '/', { share });
  const response = await fetch(`${url}/`, { method: 'HEAD' });
  assert.equal(response.status, 200);
  await until(ended);
  assert.ok(taken() <= 501, `${taken()}`);
});

test('what fails at once has a status; what fails on its way is cut', TEST, async (t) => {
  const denied = madeUp(() => {
    throw new XferError('DENIED', 'list: not for you');
  });
  const first = await serve(t, '/', { share: denied.share });
  assert.equal((await fetch(`${first.url}/`)).status, 403);
  const failing = madeUp(async function* () {
    yield* files(20_000);
    throw new XferError('DENIED', 'list: no more');
  });
  const second = await serve(t, '/', { share: failing.share });
  const answer = await get(second.port, '/?plain');
  assert.match(answer, /^HTTP\/1\.1 200 /);
  assert.ok(!answer.endsWith('\r\n0\r\n\r\n'), 'it must not look whole');
});

test('a long directory keeps nobody waiting', TEST, async (t) => {
  const { share, ended } = madeUp(() => files(300_000));
  const { url } = await serve(t, '/', { share });
  const response = await open(`${url}/`);
  response.resume();
  for (let round = 0; round < 10; round += 1) {
    assert.equal((await fetch(`${url}/none`)).status, 404);
    assert.equal(ended(), false, 'it was answered only when the listing was done');
  }
  response.destroy();
});
