/** `xfer put` and `xfer cp` into the servers of others: tus, WebDAV and nginx; and from one protocol to another. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FileStore } from '@tus/file-store';
import { Server as TusServer } from '@tus/server';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import { patternBytes } from '../support/fixtures.js';
import { freePort } from '../support/free-port.js';
import { needs } from '../support/peers.js';
import { runXfer, type Started, startProgram, startXfer } from '../support/run-xfer.js';
import { startSshd } from '../support/sshd.js';
import { differences } from '../support/trees.js';

const TIME = { timeout: 60_000 };
const BIG = patternBytes(20 << 20);
const NAMES = ['plain.txt', 'a b#?%41;&.txt', 'ü.txt', '[x]{y}.txt'];

interface Ground {
  readonly above: string;
  /** What the server keeps. */
  readonly root: string;
  /** A tree with small files of awkward names, an empty one, and a large one. */
  readonly tree: string;
  readonly env: Record<string, string>;
}

function makeGround(t: TestContext): Ground {
  const above = mkdtempSync(join(tmpdir(), 'xfer-put-servers-'));
  t.after(() => rmSync(above, { recursive: true, force: true }));
  const [root, tree] = [join(above, 'root'), join(above, 'tree')];
  for (const folder of [root, join(tree, 'sub dir', 'deep')]) mkdirSync(folder, { recursive: true });
  for (const name of NAMES) writeFileSync(join(tree, 'sub dir', name), name);
  writeFileSync(join(tree, 'sub dir', 'deep', 'empty'), '');
  writeFileSync(join(tree, 'middling'), BIG.subarray(0, 300_000));
  writeFileSync(join(tree, 'big'), BIG);
  return { above, root, tree, env: { XDG_STATE_HOME: join(above, 'state') } };
}

async function put(ground: Ground, ...args: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await runXfer(['put', ...args], { env: ground.env });
  assert.equal(exitCode, 0, stderr);
  return stderr;
}

/** Each file is as it is here, and one that is there is not replaced unasked, by another one or by itself. */
async function mustTakeTree(ground: Ground, url: string): Promise<void> {
  await put(ground, ground.tree, url);
  assert.deepEqual(differences(ground.tree, join(ground.root, 'tree')), []);
  const changed = join(ground.above, 'big');
  writeFileSync(changed, patternBytes(1000, 2));
  const refused = await runXfer(['put', changed, `${url}tree/`], { env: ground.env });
  assert.equal(refused.exitCode, 8, refused.stderr);
  assert.match(refused.stderr, /has that name already\n {2}hint: add --overwrite/);
  assert.ok(readFileSync(join(ground.root, 'tree', 'big')).equals(BIG));
  await put(ground, '--overwrite', '--verify', changed, `${url}tree/`);
  assert.equal(statSync(join(ground.root, 'tree', 'big')).size, 1000);
  const piped = await runXfer(['put', '-', `${url}piped`], { env: ground.env, input: BIG });
  assert.equal(piped.exitCode, 0, piped.stderr);
  assert.ok(readFileSync(join(ground.root, 'piped')).equals(BIG));
  const missing = await runXfer(['put', changed, `${url}none/f`], { env: ground.env });
  assert.ok([0, 3].includes(missing.exitCode ?? -1), missing.stderr);
}

async function untilAnswers(url: string, running: Started): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const answers = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answers) return;
    if (tries > 200) throw new Error(`no answer from ${url}:\n${running.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('xfer serve --upload', TIME, async (t) => {
  const ground = makeGround(t);
  const served = startXfer(['serve', '--upload', '--overwrite', '--bind', '127.0.0.1', ground.root, '0'], ground);
  t.after(() => served.stop('SIGKILL'));
  const [, url] = await served.waitForLine(/^serving on (\S+)$/m);
  await mustTakeTree(ground, url as string);
  // The same once more: all is there, and nothing is sent.
  await put(ground, join(ground.tree, 'sub dir'), `${url}tree/`);
  await put(ground, '--chunk', '6M', join(ground.tree, 'big'), `${url}pieces`);
  assert.ok(readFileSync(join(ground.root, 'pieces')).equals(BIG));
  await served.waitForLine(/"PATCH \/\.xfer-upload\/\S+ HTTP\/1\.1" 204/);
  const { mtimeMs } = statSync(join(ground.tree, 'sub dir', 'plain.txt'));
  assert.equal(
    Math.floor(statSync(join(ground.root, 'tree', 'sub dir', 'plain.txt')).mtimeMs / 1000),
    Math.floor(mtimeMs / 1000),
  );
});

test('where all files are there already nothing arrived, whatever folders they are in', TIME, async (t) => {
  const ground = makeGround(t);
  const served = startXfer(['serve', '--upload', '--bind', '127.0.0.1', ground.root, '0'], ground);
  t.after(() => served.stop('SIGKILL'));
  const [, url] = await served.waitForLine(/^serving on (\S+)$/m);
  const [folder, notes] = [join(ground.above, 'pd'), join(ground.above, 'notes.txt')];
  mkdirSync(folder);
  writeFileSync(join(folder, 'f'), 'one');
  writeFileSync(notes, 'one');
  await put(ground, folder, notes, url as string);
  for (const place of [join(folder, 'f'), notes]) writeFileSync(place, 'two');
  const again = await runXfer(['put', folder, notes, url as string], { env: ground.env });
  assert.equal(again.exitCode, 8, again.stderr);
  assert.match(again.stderr, /copy: nothing arrived, 2 failed\n {2}hint: again it would end so: first mend/);
});

test('a drop box, which shows nothing', TIME, async (t) => {
  const ground = makeGround(t);
  const served = startXfer(['serve', '--upload-only', '--bind', '127.0.0.1', ground.root, '0'], ground);
  t.after(() => served.stop('SIGKILL'));
  const [, url] = await served.waitForLine(/^serving on (\S+)$/m);
  await put(ground, '--verify', ground.tree, url as string);
  assert.deepEqual(differences(ground.tree, join(ground.root, 'tree')), []);
});

test('rclone serve webdav', { ...TIME, ...needs('rclone') }, async (t) => {
  const ground = makeGround(t);
  const port = await freePort();
  const running = startProgram('rclone', ['serve', 'webdav', ground.root, '--addr', `127.0.0.1:${port}`]);
  t.after(() => running.stop('SIGKILL'));
  await untilAnswers(`http://127.0.0.1:${port}/`, running);
  await mustTakeTree(ground, `http://127.0.0.1:${port}/`);
});

test('nginx with its WebDAV module', { ...TIME, ...needs('nginx') }, async (t) => {
  const ground = makeGround(t);
  const port = await freePort();
  const place = (name: string) => join(ground.above, name);
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    place('nginx.conf'),
    `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; pid ${place('pid')}; error_log ${place('errors')};
events {}
http { access_log off; ${kinds.map((kind) => `${kind}_temp_path ${place(kind)};`).join(' ')}
  server { listen 127.0.0.1:${port}; root ${ground.root}; client_max_body_size 0; dav_methods PUT DELETE MKCOL; create_full_put_path on; } }
`,
  );
  const running = startProgram('nginx', ['-c', place('nginx.conf')]);
  t.after(() => running.stop());
  await untilAnswers(`http://127.0.0.1:${port}/`, running);
  await mustTakeTree(ground, `http://127.0.0.1:${port}/`);
});

interface Tus {
  readonly url: string;
  readonly port: number;
  /** Requests, as method and Upload-Offset. */
  readonly asked: string[];
  /** Files that are whole, by the name that they were given. */
  whole(): Map<string, Buffer>;
}

async function startTus(t: TestContext, { root }: Ground): Promise<Tus> {
  const tus = new TusServer({ path: '/files', datastore: new FileStore({ directory: root }) });
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    asked.push(`${request.method} ${request.headers['upload-offset'] ?? ''}`.trim());
    void tus.handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const whole = () => {
    const notes = readdirSync(root).filter((name) => name.endsWith('.json'));
    const files = notes.map((note) => {
      const { id, size, metadata } = JSON.parse(readFileSync(join(root, note), 'utf8'));
      return { bytes: readFileSync(join(root, id)), size, name: metadata.filename as string };
    });
    return new Map(files.filter(({ bytes, size }) => bytes.length === size).map(({ name, bytes }) => [name, bytes]));
  };
  return { url: `http://127.0.0.1:${port}/files/`, port, asked, whole };
}

test('@tus/server takes large files and small ones', TIME, async (t) => {
  const ground = makeGround(t);
  const tus = await startTus(t, ground);
  await put(ground, join(ground.tree, 'big'), join(ground.tree, 'sub dir', 'ü.txt'), tus.url);
  const whole = tus.whole();
  assert.ok(whole.get('big')?.equals(BIG));
  assert.equal(whole.get('ü.txt')?.toString(), 'ü.txt');
  writeFileSync(join(ground.above, 'in pieces'), BIG);
  await put(ground, '--chunk', '6M', join(ground.above, 'in pieces'), tus.url.slice(0, -1));
  assert.ok(tus.whole().get('in pieces')?.equals(BIG));
  assert.ok(tus.asked.includes(`PATCH ${6 * 1000 * 1000}`) || tus.asked.includes(`PATCH ${6 << 20}`), tus.asked.join());
  // A server of tus has no names but those that are sent along, and this is what the source is called.
  const piped = await runXfer(['put', '-', `${tus.url}piped`], { env: ground.env, input: BIG });
  assert.equal(piped.exitCode, 0, piped.stderr);
  assert.ok(tus.whole().get('stdin')?.equals(BIG));
  const folder = await runXfer(['put', ground.tree, tus.url], { env: ground.env });
  assert.equal(folder.exitCode, 2, folder.stderr);
});

test('@tus/server: an upload goes on after its line was cut, and after its client was killed', TIME, async (t) => {
  const ground = makeGround(t);
  const tus = await startTus(t, ground);
  const proxy = await startFaultyProxy({
    to: { host: '127.0.0.1', port: tus.port },
    way: 'up',
    resetAfterBytes: 7 << 20,
    times: 3,
  });
  t.after(() => proxy.stop());
  const url = `http://127.0.0.1:${proxy.port}/files/`;
  await put(ground, join(ground.tree, 'big'), url);
  assert.ok(tus.whole().get('big')?.equals(BIG));
  assert.equal(tus.asked.filter((one) => one === 'POST').length, 1);
  assert.ok(tus.asked.includes('HEAD'), tus.asked.join());

  const before = tus.asked.length;
  writeFileSync(join(ground.above, 'again'), BIG);
  const args = ['put', '-q', '--limit', '20M', join(ground.above, 'again'), tus.url];
  const sizes = (): number =>
    Math.max(0, ...readdirSync(ground.root).map((name) => sizeOfPart(join(ground.root, name))));
  const killed = await runXfer(args, { env: ground.env, killWhen: () => sizes() > 4 << 20 });
  assert.equal(killed.signal, 'SIGKILL');
  await put(ground, ...args.slice(1));
  assert.ok(tus.whole().get('again')?.equals(BIG));
  const asked = tus.asked.slice(before);
  assert.equal(asked.filter((one) => one === 'POST').length, 1, asked.join());
  assert.ok(Number(/PATCH (\d+)$/.exec(asked.filter((one) => one.startsWith('PATCH')).at(-2) ?? '')?.[1]) > 1 << 20);
});

/** Of a file that is not whole yet. */
function sizeOfPart(path: string): number {
  const { size } = statSync(path);
  return size < BIG.length ? size : 0;
}

test('from HTTP to SSH, and from SSH to HTTP, past the disk', {
  ...TIME,
  ...needs('sshd', 'ssh-keygen'),
}, async (t) => {
  const ground = makeGround(t);
  const sshd = await startSshd();
  t.after(() => sshd.stop());
  const served = startXfer(['serve', '--upload', '--bind', '127.0.0.1', ground.root, '0'], ground);
  t.after(() => served.stop('SIGKILL'));
  const [, url] = await served.waitForLine(/^serving on (\S+)$/m);
  const far = (path: string) => `sftp://${sshd.user}@127.0.0.1:${sshd.port}/${join(ground.above, path)}`;
  const cp = async (...args: readonly string[]) => {
    const { exitCode, stderr } = await runXfer(['cp', '-q', '-F', sshd.configFile, ...args], { env: ground.env });
    assert.equal(exitCode, 0, stderr);
  };
  await cp(far('tree'), url as string);
  assert.deepEqual(differences(ground.tree, join(ground.root, 'tree')), []);
  await cp('--verify', `${url}tree/big`, far('came back'));
  assert.ok(readFileSync(join(ground.above, 'came back')).equals(BIG));
  await cp(`${url}tree/big`, `${url}twice`);
  assert.ok(readFileSync(join(ground.root, 'twice')).equals(BIG));
});
