/** What a plan leaves out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CopyOptions } from '#xfer/copy/options.js';
import { plan } from '#xfer/copy/plan.js';
import { XferError } from '#xfer/errors.js';
import type { Entry, Sink, Source } from '#xfer/transport.js';

const PATHS = ['a.log', 'keep.log', 'src/', 'src/a.log', 'src/b.ts', 'tmp/', 'tmp/keep.log'];

const source: Source = {
  label: 'tree',
  identity: 'test:/tree',
  name: 'tree',
  capabilities: { ranges: true, replay: true, parallel: true, metadata: true },
  async *entries() {
    yield { path: '', kind: 'directory' };
    for (const path of PATHS) {
      const kind: Entry['kind'] = path.endsWith('/') ? 'directory' : 'file';
      yield { path: path.replace(/\/$/, ''), kind };
    }
  },
  read: () => Promise.reject(new Error('a plan reads nothing')),
  close: async () => undefined,
};

const unused = () => Promise.reject(new Error('a plan writes nothing'));
const sink: Sink = {
  label: 'sink',
  identity: 'test:/sink',
  capabilities: { offsets: true, atomic: true, resume: true, parallel: true, metadata: true },
  stat: async () => undefined,
  create: unused,
  draft: unused,
  close: async () => undefined,
};

async function copied(options: CopyOptions): Promise<string[]> {
  const paths: string[] = [];
  const scope = { signal: new AbortController().signal };
  for await (const step of plan([source], sink, { recursive: true, ...options }, scope)) {
    if (step.skip === undefined && step.path !== '') paths.push(step.path);
  }
  return paths;
}

test('what an exclude matches is left out, a directory with all that is in it', async () => {
  assert.deepEqual(await copied({ exclude: ['*.log'] }), ['src', 'src/b.ts', 'tmp']);
  assert.deepEqual(await copied({ exclude: ['tmp', 'src/*.log'] }), ['a.log', 'keep.log', 'src', 'src/b.ts']);
});

test('an include wins over an exclude, but not over an excluded directory', async () => {
  const kept = ['keep.log', 'src', 'src/b.ts', 'tmp', 'tmp/keep.log'];
  assert.deepEqual(await copied({ exclude: ['*.log'], include: ['keep*'] }), kept);
  assert.deepEqual(await copied({ exclude: ['*.log'], include: ['src/*.log'] }), [
    'src',
    'src/a.log',
    'src/b.ts',
    'tmp',
  ]);
  assert.deepEqual(await copied({ exclude: ['tmp', 'src', '*.log'], include: ['keep*'] }), ['keep.log']);
  assert.equal((await copied({ include: ['nothing'] })).length, PATHS.length);
});

test('of two sources with one name the first is copied, and the second fails by itself', async () => {
  const skipped: [string, string][] = [];
  const onSkip = (path: string, error: Error) => skipped.push([path, (error as XferError).code]);
  const scope = { signal: new AbortController().signal, onSkip };
  const there: Sink = { ...sink, stat: async (path) => (path === '' ? { path, kind: 'directory' } : undefined) };
  const sources = ['one', 'two', 'one'].map((label) => ({ ...source, label, identity: `test:/${label}` }));
  const roots: string[] = [];
  for await (const step of plan(sources, there, { recursive: true }, scope)) {
    if (step.entry.path === '') roots.push(`${step.source.label} as ${step.path}`);
  }
  assert.deepEqual(roots, ['one as tree']);
  assert.deepEqual(skipped, [['two', 'EXISTS']]);
});

test('a look at what is there is tried again; one that is refused fails that thing alone', async () => {
  const told: string[] = [];
  const lost = new XferError('DISCONNECTED', 'line: lost');
  let cuts = 3;
  const there: Sink = {
    ...sink,
    async stat(path) {
      if (path === 'src/b.ts' && cuts-- > 0) throw lost;
      if (path === 'tmp/keep.log') throw new XferError('DENIED', 'stat: not allowed');
      return undefined;
    },
  };
  const scope = {
    signal: new AbortController().signal,
    onSkip: (path: string, error: Error) => told.push(`${path} ${(error as XferError).code}`),
    onRetry: (path: string, attempt: number) => told.push(`${path} ${attempt}`),
  };
  const retry = { attempts: 5, firstDelayMs: 1, maxDelayMs: 1 };
  const options: CopyOptions = { recursive: true, overwrite: 'never', retry };
  const paths: string[] = [];
  for await (const { path } of plan([source], there, options, scope)) paths.push(path);
  assert.deepEqual(told, ['src/b.ts 2', 'src/b.ts 3', 'src/b.ts 4', 'tmp/keep.log DENIED']);
  assert.ok(paths.includes('src/b.ts') && !paths.includes('tmp/keep.log'), String(paths));
  cuts = 5;
  await assert.rejects(async () => {
    for await (const _ of plan([source], there, options, scope));
  }, lost);
});
