/** Patterns on a server, beside what the real scp makes of them. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { expandGlob, isPattern } from '#xfer/transports/ssh/glob.js';
import { SftpClient } from '#xfer/transports/ssh/sftp/client.js';
import { failsWith } from '../../support/fails-with.js';
import { needs } from '../../support/peers.js';
import { Dice, pickSeed } from '../../support/random.js';
import { SFTP_SERVER } from '../../support/sshd.js';
import { HostileServer } from './hostile-server.js';

const options = { ...needs('scp'), timeout: 60_000 };
const scope = { signal: new AbortController().signal };

/** No two have the same last part, so that what scp made of a pattern can be read off one directory. */
const FILES = [
  'a',
  'ab',
  'b.a',
  '.dot',
  '[1]',
  'x[1]y',
  'back\\slash',
  'a*b',
  '~tilde',
  '{q,r}',
  'd1/f1',
  'd1/.h1',
  'd2/f2',
];

interface Rig {
  readonly root: string;
  readonly client: SftpClient;
}

async function prepare(t: TestContext): Promise<Rig> {
  const above = mkdtempSync(join(tmpdir(), 'xfer-glob-'));
  const root = join(above, 'root');
  for (const folder of ['d1', 'd2', 'out']) mkdirSync(join(root, folder), { recursive: true });
  for (const file of FILES) writeFileSync(join(root, file), file);
  const child = spawn(SFTP_SERVER, [], { cwd: root, stdio: ['pipe', 'pipe', 'ignore'] });
  const client = await SftpClient.start(Duplex.from({ readable: child.stdout, writable: child.stdin }), scope);
  t.after(() => {
    client.end();
    child.kill();
    rmSync(above, { recursive: true, force: true });
  });
  return { root, client };
}

/** Last parts of the files that scp takes for a pattern. */
function askScp(root: string, pattern: string): string[] {
  const out = join(root, 'out');
  rmSync(out, { recursive: true });
  mkdirSync(out);
  spawnSync('scp', ['-q', '-D', SFTP_SERVER, `x:${pattern}`, out], { cwd: root, timeout: 10_000 });
  return readdirSync(out).sort();
}

async function ask({ client }: Rig, pattern: string): Promise<string[]> {
  const paths = await expandGlob(client, pattern, scope);
  const files = paths.filter((path) => FILES.includes(path.replace(/^\.\//, '').replace(/^.*out\//, '')));
  return files.map((path) => path.slice(path.lastIndexOf('/') + 1)).sort();
}

const TABLE = [
  ['*', '*b', '?', 'a?', '[ab]', '[!a]', '[^a]', '[a', 'a]', '.*', '.d?t', '*.a', 'd?/*', 'd*/f2', '*/f1', 'd1/.*'],
  ['[1]', '[[]1]', '\\[1\\]', 'x[1]y', 'back\\\\slash', 'a\\*b', 'a\\*', 'a*b', './~t*', '?tilde', '{q,r}'],
  ['nope', 'nope*', 'a/*', 'd1/nope?', '*/nope', '[[:alpha:]]', '[[:punct:]]*', '[a-b]', '[b-a]', 'd[12]/f[12]'],
].flat();

test('each pattern stands for what scp takes for it', options, async (t) => {
  const rig = await prepare(t);
  for (const pattern of TABLE) assert.deepEqual(await ask(rig, pattern), askScp(rig.root, pattern), pattern);
});

/** `.?/` and the like: scp goes through `.` and `..`, and ours never does. */
const THROUGH_DOTS = /(^|\/)\.[^/]*[*?[][^/]*\//;

test('made-up patterns too', options, async (t) => {
  const rig = await prepare(t);
  const seed = pickSeed();
  t.diagnostic(`XFER_SEED=${seed}`);
  const dice = new Dice(seed);
  const letters = [...'ab1.xdf*?[]!-\\/'];
  for (let round = 0; round < 60; round++) {
    const pattern = dice.word(letters, 6);
    if (pattern.startsWith('/') || THROUGH_DOTS.test(pattern)) continue;
    assert.deepEqual(await ask(rig, pattern), askScp(rig.root, pattern), `XFER_SEED=${seed} ${pattern}`);
  }
});

test('paths keep their form, in byte order', options, async (t) => {
  const rig = await prepare(t);
  const expand = (pattern: string) => expandGlob(rig.client, pattern, scope);
  assert.deepEqual(await expand('d*/'), ['d1/', 'd2/']);
  assert.deepEqual(await expand('*/../a'), ['d1/../a', 'd2/../a', 'out/../a']);
  assert.deepEqual(await expand(`${rig.root}//d?/f*`), [`${rig.root}/d1/f1`, `${rig.root}/d2/f2`]);
  assert.deepEqual(await expand('*tilde'), ['./~tilde']);
  assert.deepEqual(await expand('back\\slash'), ['back\\slash']);
  assert.deepEqual(await expand('nope*\\'), ['nope*\\']);
  assert.equal(
    (await expand('.*')).some((path) => /^\.\.?$/.test(path)),
    false,
  );
});

test('what is no pattern is not looked up', () => {
  for (const path of ['.', 'a b', '~/x', 'a]', '{a,b}']) assert.equal(isPattern(path), false, path);
  for (const path of ['*', 'a?', '[a]', 'a\\ b']) assert.equal(isPattern(path), true, path);
});

const file = { permissions: 0o100644, size: 0 };

test('a server names only what it may, and only what was asked for', { timeout: 20_000 }, async () => {
  const server = new HostileServer();
  const holds = (names: string[]) =>
    server.directories.set(
      '.',
      names.map((name) => ({ name, attributes: file })),
    );
  const client = await server.connect();
  for (const name of ['../up', '/etc/passwd', 'g/x', 'g\0', '', 'g'.repeat(4097)]) {
    holds(['good', name]);
    await assert.rejects(expandGlob(client, 'g*', scope), failsWith('UNSAFE_PATH', /no name/));
  }
  holds(['good', '.', '..', 'other', '.gone']);
  assert.deepEqual(await expandGlob(client, 'g*', scope), ['good']);
  assert.deepEqual(await expandGlob(client, '*', scope), ['good', 'other']);
  assert.deepEqual(await expandGlob(client, '.*', scope), ['.gone']);
  client.end();
});

test('too many matches are refused', { timeout: 20_000 }, async () => {
  const server = new HostileServer();
  const folder = { permissions: 0o40755 };
  const folders = Array.from({ length: 101 }, (_, index) => ({ name: `d${index}`, attributes: folder }));
  const names = Array.from({ length: 1000 }, (_, index) => ({ name: `f${index}`, attributes: file }));
  server.directories.set('.', folders);
  for (const { name } of folders) server.directories.set(`${name}/`, names);
  const client = await server.connect();
  await assert.rejects(expandGlob(client, '*/*', scope), failsWith('USAGE'));
  assert.equal((await expandGlob(client, 'd?/*', scope)).length, 10_000);
  client.end();
});
