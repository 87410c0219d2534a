import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entriesAhead } from '#xfer/copy/entries-ahead.js';
import type { Entry, Source } from '#xfer/transport.js';

const scope = { signal: new AbortController().signal };

interface Watched {
  readonly sources: Source[];
  started: number;
  ended: number;
}

/** Sources of two entries each; the first one answers only when `release` is called. */
function watch(count: number, parallel: boolean, release: Promise<unknown>): Watched {
  const watched: Watched = { sources: [], started: 0, ended: 0 };
  for (let index = 0; index < count; index++) {
    const name = `s${index}`;
    watched.sources.push({
      label: name,
      identity: name,
      name,
      capabilities: { ranges: true, replay: true, parallel, metadata: true },
      async *entries(): AsyncGenerator<Entry> {
        watched.started += 1;
        try {
          await release;
          yield { path: '', kind: 'directory' };
          yield { path: name, kind: 'file' };
        } finally {
          watched.ended += 1;
        }
      },
      read: () => Promise.reject(new Error('nothing is read')),
      close: async () => undefined,
    });
  }
  return watched;
}

async function paths(sources: readonly Source[]): Promise<string[]> {
  const found: string[] = [];
  for await (const { source, entries } of entriesAhead(sources, {}, scope)) {
    for await (const { path } of entries) found.push(`${source.name}/${path}`);
  }
  return found;
}

test('sources are asked 64 at a time, and their entries come in order', { timeout: 10_000 }, async () => {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  const watched = watch(100, true, promise);
  const all = paths(watched.sources);
  await new Promise((done) => setImmediate(done));
  assert.equal(watched.started, 64);
  resolve();
  assert.deepEqual(
    await all,
    watched.sources.flatMap(({ name }) => [`${name}/`, `${name}/${name}`]),
  );
  assert.equal(watched.ended, 100);
});

test('those that do one thing at a time are asked in turn', { timeout: 10_000 }, async () => {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  const watched = watch(3, false, promise);
  const all = paths(watched.sources);
  await new Promise((done) => setImmediate(done));
  assert.equal(watched.started, 1);
  resolve();
  assert.equal((await all).length, 6);
});

test('who stops early leaves no source open, and a failure is that of its own source', {
  timeout: 10_000,
}, async () => {
  const watched = watch(10, true, Promise.resolve());
  for await (const { entries } of entriesAhead(watched.sources, {}, scope)) {
    for await (const _ of entries) break;
    break;
  }
  assert.deepEqual([watched.started, watched.ended], [10, 10]);
  const failing = watch(3, true, Promise.reject(new Error('no')));
  const said: string[] = [];
  for await (const { source, entries } of entriesAhead(failing.sources, {}, scope)) {
    await assert.rejects(entries.next(), /no/);
    said.push(source.name);
  }
  assert.deepEqual(said, ['s0', 's1', 's2']);
});
