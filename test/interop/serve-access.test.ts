/** `xfer serve` with logins, a token and counted downloads, for wget, curl, aria2 and xfer get. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findProgram, needs } from '../support/peers.js';
import { runProgram, runXfer, startXfer } from '../support/run-xfer.js';
import { bytesOnDisk, differences, makeRandomFile } from '../support/trees.js';

const limit = { timeout: 60_000 };

interface Rig {
  readonly shared: string;
  readonly target: string;
  /** As it was printed. */
  readonly url: string;
  readonly served: ReturnType<typeof startXfer>;
}

async function prepare(t: TestContext, options: readonly string[]): Promise<Rig> {
  const above = mkdtempSync(join(tmpdir(), 'xfer-access-'));
  const [shared, target] = [join(above, 'shared'), join(above, 'target')];
  mkdirSync(join(shared, 'sub', 'deeper'), { recursive: true });
  mkdirSync(target);
  writeFileSync(join(shared, 'a b.txt'), 'hello');
  writeFileSync(join(shared, 'sub', 'deeper', 'c.txt'), 'there');
  makeRandomFile(join(shared, 'big.bin'), 40_000_003);
  const served = startXfer(['serve', '-b', '127.0.0.1', ...options, shared, '0']);
  t.after(async () => {
    await served.stop();
    rmSync(above, { recursive: true, force: true });
  });
  const [, url = ''] = await served.waitForLine(/^serving on (\S+)$/m);
  return { shared, target, url, served };
}

test('wget -r gets all below the token, with a login, and its Referer tells the log nothing', {
  ...limit,
  ...needs('wget'),
}, async (t) => {
  const { shared, target, url, served } = await prepare(t, ['--auth', 'anna:pä ss', '--token', '--base-path', '/x']);
  const args = ['-q', '-r', '-np', '-nH', '--cut-dirs=2', '-R', 'index.html*', '--no-proxy', '--user', 'anna'];
  const got = await runProgram(findProgram('wget') as string, [...args, '--password', 'pä ss', url], { cwd: target });
  assert.equal(got.exitCode, 0, got.stderr);
  assert.deepEqual(differences(shared, target), []);
  const token = url.split('/').at(-2) as string;
  assert.equal(served.output().split(token).length, 3, 'it is in the two lines that were printed at the start');
  assert.match(served.output(), / anna \[.*"GET \/x\/\*\*\*\/big\.bin HTTP\/1\.1" 200 40000003$/m);
});

test('curl logs in, is told that it may not, and may write nothing from another page', {
  ...limit,
  ...needs('curl'),
}, async (t) => {
  const { url } = await prepare(t, ['--auth', 'anna:pä ss']);
  const curl = async (...args: string[]): Promise<string> => {
    const quiet = ['-sS', '--noproxy', '*', '-o', '/dev/null', '-w', '%{http_code} %{size_download}'];
    return (await runProgram(findProgram('curl') as string, [...quiet, ...args])).stdout.toString();
  };
  assert.equal(await curl('-u', 'anna:pä ss', `${url}big.bin`), '200 40000003');
  assert.equal(await curl('--anyauth', '-u', 'anna:pä ss', `${url}big.bin`), '200 40000003');
  assert.match(await curl('-u', 'anna:pass', `${url}big.bin`), /^401 /);
  assert.match(await curl('-u', 'anna:pä ss', '-H', 'Host: evil.example', url), /^421 /);
  assert.match(await curl('-u', 'anna:pä ss', '-H', 'Origin: http://evil.example', '-d', 'x', url), /^403 /);
  assert.match(await curl('-u', 'anna:pä ss', '-d', 'x', url), /^405 /);
});

test('eight lanes of aria2 are the one download of --once', { ...limit, ...needs('aria2c') }, async (t) => {
  const { shared, target, url, served } = await prepare(t, ['--once']);
  const args = ['-q', '-x8', '-s8', '-k1M', '--all-proxy=', '--retry-wait=1', '-d', target, `${url}big.bin`];
  const got = await runProgram(findProgram('aria2c') as string, args);
  assert.equal(got.exitCode, 0, got.stderr);
  assert.deepEqual(differences(join(shared, 'big.bin'), join(target, 'big.bin')), []);
  assert.equal((await served.exited).exitCode, 0);
});

test('xfer get in lanes is the one download of --once, and so is one that was killed and goes on', limit, async (t) => {
  for (const killed of [false, true]) {
    const { shared, target, url, served } = await prepare(t, ['--once']);
    const args = ['get', `${url}big.bin`, '-o', join(target, 'big.bin'), '--parallel'];
    // In one lane, because what the system's buffers hold of several is all of it.
    const killWhen = () => bytesOnDisk(target) > 2_000_000;
    if (killed) assert.equal((await runXfer([...args, '1', '--limit', '10M'], { killWhen })).signal, 'SIGKILL');
    assert.doesNotMatch(served.output(), /so it ends/);
    const { exitCode, stderr } = await runXfer([...args, '4']);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(differences(join(shared, 'big.bin'), join(target, 'big.bin')), []);
    assert.equal((await served.exited).exitCode, 0);
  }
});
