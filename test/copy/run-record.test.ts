import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { copy } from '#xfer/copy/index.js';
import { draftName, isDraftOfRuns, newDraftRun } from '#xfer/draft-name.js';
import { XferError } from '#xfer/errors.js';
import type { Draft, Sink } from '#xfer/transport.js';
import { openLocalSink, openLocalSource } from '#xfer/transports/local/index.js';
import { withResolvers } from '../support/with-resolvers.js';

const KILLED = '0123456789ab';
const deadPid = spawnSync(process.execPath, ['-e', '0']).pid;
let root: string;
let journal: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'xfer-record-'));
  journal = join(root, 'journal');
  writeFileSync(join(root, 'a'), 'bytes');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function copyAgain(change: (sink: Sink) => Sink = (sink) => sink): Promise<void> {
  const source = await openLocalSource(join(root, 'a'));
  await copy([source], change(await openLocalSink(join(root, 'b'))), {
    journalDirectory: journal,
    retry: { attempts: 1 },
  });
}

/** Makes the record of this run that of another one. */
function pretend(run: string, text: string): void {
  const [own, ...others] = readdirSync(journal).filter((name) => name.endsWith('.run') && !name.includes(KILLED));
  assert.ok(own !== undefined && others.length === 0, 'the run wrote its record down');
  writeFileSync(join(journal, own.replace(/[0-9a-f]+\.run$/, `${run}.run`)), text);
  rmSync(join(journal, own));
}

/** Fails, and removes nothing, so that the record stays. */
const failing = (sink: Sink): Sink => {
  const fail = () => Promise.reject(new XferError('DISCONNECTED', 'not today'));
  return changed(sink, { put: fail, sweep: fail });
};

test('the drafts of a killed run of the same copy are removed by the next; others stay', async () => {
  await assert.rejects(copyAgain(failing));
  pretend(KILLED, `${deadPid} ${hostname()}`);
  for (const name of [`.b.${KILLED}-1.xfer-part`, `.odd.${KILLED}-zz.xfer-part`]) writeFileSync(join(root, name), 'x');
  for (const name of ['.b.ffffffffffff-1.xfer-part', `b.${KILLED}-1.xfer-part`, `.b.${KILLED}-1.xfer-part.txt`]) {
    writeFileSync(join(root, name), 'x');
  }
  await copyAgain();
  const kept = [
    '.b.0123456789ab-1.xfer-part.txt',
    '.b.ffffffffffff-1.xfer-part',
    'a',
    'b',
    'b.0123456789ab-1.xfer-part',
  ];
  assert.deepEqual(readdirSync(root).sort(), [...kept, 'journal'].sort());
  assert.deepEqual(readdirSync(journal), []);
});

test('the drafts of a run that lives, here or on another machine, are left alone', async () => {
  for (const text of [`${process.pid} ${hostname()}`, `${deadPid} another-machine`]) {
    await assert.rejects(copyAgain(failing));
    pretend(KILLED, text);
    writeFileSync(join(root, `.b.${KILLED}-1.xfer-part`), 'x');
    await copyAgain();
    assert.ok(readdirSync(root).includes(`.b.${KILLED}-1.xfer-part`), text);
  }
});

test('a copy that ends leaves no record, a name of its drafts is told from others', async () => {
  await copyAgain();
  assert.deepEqual(readdirSync(journal), []);
  const run = newDraftRun();
  assert.ok(isDraftOfRuns(draftName('x'.repeat(300), { path: 'x', kind: 'file', run }), [run]));
  assert.ok(!isDraftOfRuns(draftName('x', { path: 'x', kind: 'file' }), [run]));
  assert.ok(!isDraftOfRuns(draftName('x', { path: 'x', kind: 'file', run, version: '1', size: 1 }), [run]));
});

test('a copy that fails before its first file leaves no record', async () => {
  const stat = () => Promise.reject(new XferError('DENIED', 'not today'));
  await assert.rejects(
    copyAgain((sink) => changed(sink, { stat })),
    { code: 'DENIED' },
  );
  assert.deepEqual(readdirSync(journal), []);
});

/** The same but for some of its members. */
function changed<Kind extends object>(kind: Kind, members: Partial<Kind>): Kind {
  return new Proxy(kind, {
    get: (_, name) => {
      if (name in members) return Reflect.get(members, name);
      const value: unknown = Reflect.get(kind, name);
      return typeof value === 'function' ? value.bind(kind) : value;
    },
  });
}

test('a copy that fails takes its own drafts, and leaves those of another one that is under way', async () => {
  writeFileSync(join(root, 'large'), Buffer.alloc(100_000, 7));
  const under = withResolvers<void>();
  const goOn = withResolvers<void>();
  const target = async (name: string, after: (draft: Draft) => Draft | Promise<Draft>) => {
    const sink = await openLocalSink(join(root, name));
    return changed<Sink>(sink, { draft: async (entry, scope) => after(await sink.draft(entry, scope)) });
  };
  const slow = await target('b', async (draft) => {
    under.resolve();
    await goOn.promise;
    return draft;
  });
  const fail = () => Promise.reject(new XferError('DENIED', 'not today'));
  const leaving = await target('c', (draft) => changed(draft, { write: fail, discard: fail }));
  const source = async () => [await openLocalSource(join(root, 'large'))];
  const first = copy(await source(), slow, { journalDirectory: journal });
  await under.promise;
  await assert.rejects(copy(await source(), leaving, { journalDirectory: journal, retry: { attempts: 1 } }));
  const drafts = () => readdirSync(root).filter((name) => name.endsWith('.xfer-part'));
  assert.equal(drafts().length, 1, `of the copy under way alone: ${drafts()}`);
  goOn.resolve();
  assert.equal((await first).files, 1);
  assert.ok(readdirSync(root).includes('b'));
  assert.deepEqual([drafts(), readdirSync(journal)], [[], []]);
});

/** A sink whose files break while a line is cut, and whose sweep then fails so many times. */
async function cutSink(sweepFailures: number): Promise<Sink> {
  const sink = await openLocalSink(join(root, 'b'));
  let cuts = 1;
  let failures = sweepFailures;
  const lost = () => Promise.reject(new XferError('DISCONNECTED', 'line: lost'));
  return changed<Sink>(sink, {
    put: (...words) => {
      if (cuts === 0) return (sink.put as NonNullable<Sink['put']>)(...words);
      cuts -= 1;
      const [{ run }] = words;
      writeFileSync(
        join(root, draftName('b', { path: 'b', kind: 'file', ...(run === undefined ? {} : { run }) })),
        'x',
      );
      return lost();
    },
    sweep: (...words) => {
      if (failures === 0) return (sink.sweep as NonNullable<Sink['sweep']>)(...words);
      failures -= 1;
      return lost();
    },
  });
}

test('what a cut line left is removed, where a cut comes again too; else it is told, and left to the next run', async () => {
  const retry = { attempts: 3, firstDelayMs: 1, maxDelayMs: 1 };
  const parts = () => readdirSync(root).filter((name) => name.endsWith('.xfer-part'));
  for (const [failures, left] of [
    [0, 0],
    [2, 0],
    [3, 1],
    [0, 0],
  ] as const) {
    const told: string[] = [];
    const result = await copy([await openLocalSource(join(root, 'a'))], await cutSink(failures), {
      journalDirectory: journal,
      retry,
      onEvent: (event) => event.type === 'leftover' && told.push(event.error.message),
    });
    assert.deepEqual([result.files, result.failures], [1, []]);
    assert.equal(told.length, left);
    if (left > 0) assert.match(told[0] as string, /unfinished files .*: not removed: line: lost/);
    // The record of a process that lives is left alone by others, so this one's part stays.
    assert.equal(parts().length, left);
    for (const name of parts()) rmSync(join(root, name));
    assert.equal(readdirSync(journal).length, left);
    for (const name of readdirSync(journal)) rmSync(join(journal, name));
  }
});
