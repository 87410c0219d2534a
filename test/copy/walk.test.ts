import assert from 'node:assert/strict';
import { test } from 'node:test';
import { walk } from '#xfer/copy/walk.js';
import { XferError } from '#xfer/errors.js';
import type { Entry, Source, WalkScope } from '#xfer/transport.js';
import { failsWith } from '../support/fails-with.js';

const scope: WalkScope = { signal: new AbortController().signal };
const options = { retry: { attempts: 3, firstDelayMs: 1 } };
const NAMES = ['', 'a', 'b', 'c'];

/** A source whose n-th walk gives so many names and then loses its line; the last one gives all. */
function losing(cuts: readonly number[], replay = true): Source & { walks: number } {
  return {
    label: 'far',
    identity: 'far',
    name: 'far',
    walks: 0,
    capabilities: { ranges: true, replay, parallel: true, metadata: true },
    async *entries({ onSkip }: WalkScope) {
      const cut = cuts[this.walks++] ?? NAMES.length;
      onSkip?.('odd', new Error('not readable'));
      for (const path of NAMES.slice(0, cut)) yield { path, kind: 'directory' } as Entry;
      if (cut < NAMES.length) throw new XferError('DISCONNECTED', 'the line is cut');
    },
    read: () => Promise.reject(new Error('not read here')),
    close: async () => {},
  };
}

async function pathsOf(source: Source, walkScope = scope): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of walk(source, options, walkScope)) paths.push(path);
  return paths;
}

test('a walk that lost its line goes on, and gives and skips nothing twice', async () => {
  const source = losing([1, 3, 3]);
  const skipped: string[] = [];
  assert.deepEqual(await pathsOf(source, { ...scope, onSkip: (path) => skipped.push(path) }), NAMES);
  assert.equal(source.walks, 4);
  assert.deepEqual(skipped, ['odd']);
});

test('a walk that stops at the same place each time ends with its error', async () => {
  const source = losing([2, 2, 2, 2, 2, 2, 2, 2]);
  await assert.rejects(pathsOf(source), failsWith('DISCONNECTED'));
  assert.equal(source.walks, 3);
});

test('a source that cannot be read again is walked once', async () => {
  const source = losing([2], false);
  await assert.rejects(pathsOf(source), failsWith('DISCONNECTED'));
  assert.equal(source.walks, 1);
});
