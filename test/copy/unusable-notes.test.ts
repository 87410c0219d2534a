/** What has the names of a copy's notes, and is none of ours: the copy goes on without, and says so. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { copy } from '#xfer/copy/index.js';
import { openLocalSink, openLocalSource } from '#xfer/transports/local/index.js';

const bounded = { timeout: 20_000, skip: process.platform === 'win32' && 'Windows has no pipes among its files' };
const BYTES = Buffer.alloc(300_000, 'notes\n');
let root: string;
let journal: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'xfer-notes-'));
  journal = join(root, 'journal');
  writeFileSync(join(root, 'a'), BYTES);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The notes of a copy that stopped half-way, and why it starts again, where it does. */
async function run(stopAt = Number.POSITIVE_INFINITY): Promise<string[]> {
  const reasons: string[] = [];
  const stop = new AbortController();
  const source = await openLocalSource(join(root, 'a'));
  await copy([source], await openLocalSink(join(root, 'b')), {
    journalDirectory: journal,
    blockBytes: 70_000,
    lanes: 1,
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'restart') reasons.push(event.reason);
      if (event.type === 'progress' && event.bytes > stopAt) stop.abort(new Error('stopped by the test'));
    },
  });
  return reasons;
}

const place: Record<string, (path: string) => void> = {
  directory: (path) => mkdirSync(path),
  pipe: (path) => execFileSync('mkfifo', [path]),
};
for (const [kind, make] of Object.entries(place)) {
  for (const end of ['journal', 'journal.new', 'run']) {
    test(`a ${kind} in the place of a .${end} stops no copy`, bounded, async () => {
      await assert.rejects(run(0), /stopped by the test/);
      const [noted] = readdirSync(journal).filter((name) => name.endsWith(end === 'run' ? '.run' : '.journal'));
      assert.ok(noted);
      const path = join(journal, noted.replace(/journal$/, end));
      rmSync(path, { force: true });
      make(path);
      const reasons = await run();
      assert.ok(readFileSync(join(root, 'b')).equals(BYTES));
      const usable = end === 'run' || (end === 'journal.new' && kind === 'pipe');
      if (usable) return assert.deepEqual(reasons, []);
      assert.match(
        reasons.join('\n'),
        /^(read|keep notes in) .*: (not a regular file|is a directory); remove what is there$/,
      );
      assert.deepEqual(
        readdirSync(root).filter((name) => name === 'b'),
        ['b'],
      );
    });
  }
}
