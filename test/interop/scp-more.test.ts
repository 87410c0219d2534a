/** What `xfer scp` has beyond scp, up, down, here and between two hosts. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { SFTP_SERVER } from '../support/sshd.js';

const options = { ...needs('sshd'), timeout: 60_000 };

/** A target, an option and what is then in the target. */
interface Rig {
  readonly from: string;
  readonly to: string;
  readonly root: string;
  scp(...args: string[]): ReturnType<typeof runXfer>;
  /** Files below the target, sorted. */
  arrived(): string[];
}

const WAYS: [name: string, from: string, to: string][] = [
  ['up', '', 'far:'],
  ['down', 'far:', ''],
  ['between two hosts', 'a:', 'b:'],
  ['here', '', ''],
];

function prepare(t: TestContext, from: string, to: string): Rig {
  const root = mkdtempSync(join(tmpdir(), 'xfer-more-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [source, target] = [join(root, 'source'), join(root, 'target')];
  for (const folder of ['source/src', 'source/tmp', 'target']) mkdirSync(join(root, folder), { recursive: true });
  for (const path of ['a.log', 'keep.log', 'src/a.log', 'src/b.ts', 'tmp/x']) writeFileSync(join(source, path), path);
  const scp = (...args: string[]) => runXfer(['scp', '-D', SFTP_SERVER, ...args], { cwd: root });
  const arrived = () =>
    readdirSync(target, { recursive: true, encoding: 'utf8' })
      .filter((path) => !statSync(join(target, path)).isDirectory())
      .sort();
  return { root, from: `${from}${source}/.`, to: `${to}${target}`, scp, arrived };
}

for (const [way, from, to] of WAYS) {
  test(`${way}: --exclude and --include`, options, async (t) => {
    const rig = prepare(t, from, to);
    const words = ['--exclude', '*.log', '--exclude=tmp', '--include', 'keep.*'];
    const { exitCode, stderr } = await rig.scp('-r', ...words, rig.from, rig.to);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(rig.arrived(), ['keep.log', 'src/b.ts']);
    assert.match(stderr, /2 files, .*left out/);
  });

  test(`${way}: --no-clobber and --update`, options, async (t) => {
    const rig = prepare(t, from, to);
    const there = join(rig.root, 'target', 'a.log');
    writeFileSync(there, 'older');
    utimesSync(there, 1_400_000_000, 1_400_000_000);
    const kept = await rig.scp('-r', '--no-clobber', rig.from, rig.to);
    assert.equal(kept.exitCode, 0, kept.stderr);
    assert.equal(readFileSync(there, 'utf8'), 'older');
    assert.equal(rig.arrived().length, 5);
    const keep = join(rig.root, 'target', 'keep.log');
    writeFileSync(keep, 'newer');
    utimesSync(keep, 2_000_000_000, 2_000_000_000);
    const updated = await rig.scp('-r', '--update', rig.from, rig.to);
    assert.equal(updated.exitCode, 0, updated.stderr);
    assert.deepEqual(
      [there, keep].map((path) => readFileSync(path, 'utf8')),
      ['a.log', 'newer'],
    );
  });

  test(`${way}: --dry-run says what would be copied, and copies nothing`, options, async (t) => {
    const rig = prepare(t, from, to);
    const { exitCode, stderr } = await rig.scp('-r', '--dry-run', '--exclude=*.log', rig.from, rig.to);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /would copy src\/b\.ts\n/);
    assert.doesNotMatch(stderr, /would copy .*\.log/);
    assert.deepEqual(rig.arrived(), []);
    const many = await rig.scp(
      '--dry-run',
      `${from}${rig.root}/source/a.log`,
      `${from}${rig.root}/source/keep.log`,
      `${to}${rig.root}/target`,
    );
    assert.equal(many.exitCode, 0, many.stderr);
    assert.match(many.stderr, /2 would be copied/);
  });

  test(`${way}: --links keep and skip`, options, async (t) => {
    const rig = prepare(t, from, to);
    symlinkSync('a.log', join(rig.root, 'source', 'link'));
    const skipped = await rig.scp('-r', '--links=skip', rig.from, rig.to);
    assert.equal(skipped.exitCode, 0, skipped.stderr);
    assert.equal(rig.arrived().includes('link'), false);
    const kept = await rig.scp('-r', '--links=keep', rig.from, rig.to);
    assert.equal(kept.exitCode, 0, kept.stderr);
    assert.match(kept.stderr, /1 link/);
  });
}

test('--limit holds a copy to its rate', options, async (t) => {
  const rig = prepare(t, '', 'far:');
  writeFileSync(join(rig.root, 'big'), Buffer.alloc(600_000));
  const started = performance.now();
  const { exitCode, stderr } = await rig.scp('--limit', '1M', join(rig.root, 'big'), rig.to);
  assert.equal(exitCode, 0, stderr);
  assert.ok(performance.now() - started > 400, 'it was faster than allowed');
});

test('what failed is named with its reason, and the rest arrives', options, async (t) => {
  const rig = prepare(t, '', 'far:');
  mkdirSync(join(rig.root, 'target', 'a.log'));
  const { exitCode, stderr } = await rig.scp('-r', rig.from, rig.to);
  assert.equal(exitCode, 9, stderr);
  assert.match(stderr, /^xfer: .*a\.log: is a directory$/m);
  assert.match(stderr, /^4 files, .*, 1 failed$/m);
  assert.deepEqual(rig.arrived(), ['keep.log', 'src/a.log', 'src/b.ts', 'tmp/x']);
});

test('--json tells each file, and the whole at the end', options, async (t) => {
  const rig = prepare(t, 'far:', '');
  const { exitCode, stdout, stderr } = await rig.scp('-r', '--json', rig.from, rig.to);
  assert.equal(exitCode, 0, stderr);
  const events = stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; path?: string });
  const finished = events.filter(({ type }) => type === 'finish').map(({ path }) => path);
  assert.deepEqual(finished.sort(), ['a.log', 'keep.log', 'src/a.log', 'src/b.ts', 'tmp/x']);
  assert.equal(events.at(-1)?.type, 'done');
});
