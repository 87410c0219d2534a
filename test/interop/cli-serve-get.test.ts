/** `xfer serve` for curl and `xfer get`, and downloads that are cut off. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findProgram, needs } from '../support/peers.js';
import { Dice, pickSeed } from '../support/random.js';
import { runProgram, runXfer, startXfer } from '../support/run-xfer.js';
import { bytesOnDisk, differences, makeRandomFile } from '../support/trees.js';

const bounded = { timeout: 60_000 };
const FILE_BYTES = 24 * 1024 * 1024;

interface Rig {
  readonly shared: string;
  readonly target: string;
  readonly url: string;
}

/** A file that changed a while ago: one that changed a moment ago has no strong validator, and is never resumed. */
function makeSharedFile(path: string, bytes: number): void {
  makeRandomFile(path, bytes);
  const before = Date.now() / 1000 - 3600;
  utimesSync(path, before, before);
}

/** Serves a directory with one big file, and makes an empty one to download into. */
async function prepare(t: TestContext, bytes: number): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-serve-'));
  const [shared, target] = [join(folder, 'shared'), join(folder, 'target')];
  mkdirSync(shared);
  mkdirSync(target);
  makeSharedFile(join(shared, 'big file.bin'), bytes);
  const server = startXfer(['serve', '--bind', '127.0.0.1', shared, '0']);
  t.after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const [, port] = await server.waitForLine(/https?:\/\/\S+?:(\d+)/);
  return { shared, target, url: `http://127.0.0.1:${port}` };
}

test('xfer get fetches what xfer serve shares', bounded, async (t) => {
  const { shared, target, url } = await prepare(t, 5_000_011);
  const out = join(target, 'got.bin');
  const { exitCode, stderr } = await runXfer(['get', `${url}/big%20file.bin`, '-o', out]);
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(differences(join(shared, 'big file.bin'), out), []);
});

test('xfer get names the file after the URL, and -o - prints it', bounded, async (t) => {
  const { shared, target, url } = await prepare(t, 1_000_003);
  const named = await runXfer(['get', `${url}/big%20file.bin`], { cwd: target });
  assert.equal(named.exitCode, 0, named.stderr);
  assert.deepEqual(differences(shared, target), []);
  const printed = await runXfer(['get', `${url}/big%20file.bin`, '-o', '-']);
  assert.equal(printed.exitCode, 0, printed.stderr);
  assert.ok(printed.stdout.equals(readFileSync(join(shared, 'big file.bin'))), 'other bytes');
});

test('curl fetches whole files, ranges and listings from xfer serve', { ...needs('curl'), ...bounded }, async (t) => {
  const { shared, target, url } = await prepare(t, 2_000_003);
  const curl = (...args: string[]) => runProgram(findProgram('curl') as string, ['-sS', '--noproxy', '*', ...args]);
  const out = join(target, 'got.bin');
  const whole = await curl('-f', '-o', out, `${url}/big%20file.bin`);
  assert.equal(whole.exitCode, 0, whole.stderr);
  assert.deepEqual(differences(join(shared, 'big file.bin'), out), []);
  const range = await curl('-r', '1000-1999', `${url}/big%20file.bin`);
  assert.ok(range.stdout.equals(readFileSync(out).subarray(1000, 2000)), 'other bytes');
  assert.match((await curl(`${url}/`)).stdout.toString(), /big file\.bin/);
  assert.equal((await curl('-o', '/dev/null', '-w', '%{http_code}', `${url}/none`)).stdout.toString(), '404');
  const outside = await curl('--path-as-is', '-o', '/dev/null', '-w', '%{http_code}', `${url}/../../etc/passwd`);
  assert.match(outside.stdout.toString(), /^4\d\d$/);
});

test('a missing page exits 3, a refused port 5', bounded, async (t) => {
  const { target, url } = await prepare(t, 10);
  const missing = await runXfer(['get', `${url}/none`], { cwd: target });
  assert.equal(missing.exitCode, 3, missing.stderr);
  const refused = await runXfer(['get', 'http://127.0.0.1:1/a'], { cwd: target });
  assert.equal(refused.exitCode, 5, refused.stderr);
  assert.deepEqual(readdirSync(target), []);
});

test('killed at ten points, no short file has the name, and the next run ends it', { timeout: 120_000 }, async (t) => {
  const seed = pickSeed();
  t.diagnostic(`XFER_SEED=${seed}`);
  const dice = new Dice(seed);
  const { shared, target, url } = await prepare(t, FILE_BYTES);
  const [source, out] = [join(shared, 'big file.bin'), join(target, 'got.bin')];
  const args = ['get', `${url}/big%20file.bin`, '-o', out];
  let struck = 0;
  for (let round = 0; round < 10; round++) {
    const enough = dice.below(FILE_BYTES * 0.9);
    const killed = await runXfer(args, { killWhen: () => bytesOnDisk(target) > enough });
    if (killed.signal === 'SIGKILL') struck += 1;
    if (existsSync(out)) {
      assert.deepEqual(differences(source, out), [], `XFER_SEED=${seed}, round ${round}, killed`);
      rmSync(out);
    }
    const again = await runXfer(args);
    assert.equal(again.exitCode, 0, again.stderr);
    assert.deepEqual(differences(source, out), [], `XFER_SEED=${seed}, round ${round}, run again`);
    rmSync(out);
    assert.deepEqual(readdirSync(target), [], `XFER_SEED=${seed}, round ${round}, something is left over`);
  }
  assert.ok(struck >= 5, `only ${struck} of 10 runs were killed before their end`);
});

test('a file that changed on the server is never mixed with what was held', bounded, async (t) => {
  const { shared, target, url } = await prepare(t, FILE_BYTES);
  const [source, out] = [join(shared, 'big file.bin'), join(target, 'got.bin')];
  const args = ['get', `${url}/big%20file.bin`, '-o', out];
  const killed = await runXfer(args, { killWhen: () => bytesOnDisk(target) > FILE_BYTES / 4 });
  assert.equal(killed.signal, 'SIGKILL', 'it was done before it could be killed');
  makeSharedFile(`${source}.new`, FILE_BYTES);
  renameSync(`${source}.new`, source);
  const again = await runXfer(args);
  assert.equal(again.exitCode, 0, again.stderr);
  assert.deepEqual(differences(source, out), []);
});

test('a server that sends less than it announced exits 5 and leaves no file', bounded, async (t) => {
  const { target } = await prepare(t, 1);
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': 1_000_000 });
    response.write(randomBytes(1000), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const out = join(target, 'got.bin');
  writeFileSync(join(target, 'bystander'), 'here before');
  const { exitCode, stderr } = await runXfer(['get', `http://127.0.0.1:${port}/a`, '-o', out], { timeoutMs: 50_000 });
  assert.equal(exitCode, 5, stderr);
  assert.equal(existsSync(out), false);
  assert.equal(readFileSync(join(target, 'bystander'), 'utf8'), 'here before');
});

test('the one download of serve --once can be proved, by its digest and by a list', bounded, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-once-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'small'), 'the one download');
  makeSharedFile(join(folder, 'large'), 3_000_000);
  const once = async (name: string, ...words: string[]) => {
    const server = startXfer(['serve', '--once', '--bind', '127.0.0.1', join(folder, name), '0']);
    t.after(() => server.stop());
    const [, port] = await server.waitForLine(/https?:\/\/\S+?:(\d+)/);
    return runXfer(['get', ...words, `http://127.0.0.1:${port}/${name}`, '-o', join(folder, `got ${name}`)]);
  };
  for (const name of ['small', 'large']) {
    const { exitCode, stderr } = await once(name, '--verify');
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /sha256 checked/);
    assert.deepEqual(readFileSync(join(folder, `got ${name}`)), readFileSync(join(folder, name)));
  }
  const unlisted = await once('small', '--overwrite', '--checksums');
  assert.equal(unlisted.exitCode, 3, unlisted.stderr);
  assert.match(unlisted.stderr, /neither SHA256SUMS nor small\.sha256/);
});
