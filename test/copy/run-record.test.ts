import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { copy } from '#xfer/copy/index.js';
import { DRAFT_RUN, draftName, isDraftOfRuns } from '#xfer/draft-name.js';
import { XferError } from '#xfer/errors.js';
import type { Sink } from '#xfer/transport.js';
import { openLocalSink, openLocalSource } from '#xfer/transports/local/index.js';

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
  await copy([source], change(await openLocalSink(join(root, 'b'))), { journalDirectory: journal });
}

/** Makes the record of this run that of another one. */
function pretend(run: string, text: string): void {
  const own = readdirSync(journal).find((name) => name.endsWith(`.${DRAFT_RUN}.run`));
  assert.ok(own !== undefined, 'the run wrote its record down');
  writeFileSync(join(journal, own.replace(DRAFT_RUN, run)), text);
  rmSync(join(journal, own));
}

/** Fails, so that the record stays. */
const failing = (sink: Sink): Sink =>
  Object.assign(Object.create(sink) as Sink, {
    stat: () => Promise.reject(new XferError('DENIED', 'not today')),
  });

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
  assert.ok(isDraftOfRuns(draftName('x'.repeat(300), { path: 'x', kind: 'file' }), [DRAFT_RUN]));
  assert.ok(!isDraftOfRuns(draftName('x', { path: 'x', kind: 'file', version: '1', size: 1 }), [DRAFT_RUN]));
});
