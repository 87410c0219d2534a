/** `xfer serve` and who may do what, as a person types it: what is printed, what is refused, and how it ends. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { plainPasswordNotice } from '#xfer/cli/serve/access.js';
import { Accounts, parseAccount } from '#xfer/listening/accounts.js';
import { needs } from '../../support/peers.js';
import { runXfer, type Started, startProgram, startXfer, XFER } from '../../support/run-xfer.js';

const limit = { timeout: 30_000 };
const TOKEN = 'a-token-that-is-kept-2345';

function folder(t: TestContext): string {
  const above = mkdtempSync(join(tmpdir(), 'xfer-serve-access-'));
  t.after(() => rmSync(above, { recursive: true, force: true }));
  mkdirSync(join(above, 'root'));
  writeFileSync(join(above, 'root', 'a b.txt'), 'hello');
  return above;
}

function start(t: TestContext, root: string, args: readonly string[], env: Record<string, string> = {}): Started {
  const started = startXfer(['serve', '-b', '127.0.0.1', ...args, root, '0'], { env });
  t.after(() => started.stop());
  return started;
}

test('the printed line downloads, and --once ends with a word', limit, async (t) => {
  const above = folder(t);
  const served = start(t, join(above, 'root'), ['--token', '--base-path', 'my files', '--once']);
  const [, url = ''] = await served.waitForLine(
    /^serving on (http:\/\/127\.0\.0\.1:\d+\/my%20files\/[0-9a-z]{26}\/)$/m,
  );
  const [, words = ''] = await served.waitForLine(/^download with: xfer (get \S+)$/m);
  assert.equal(words, `get ${url}a%20b.txt`);
  assert.equal((await fetch(url)).status, 200);
  const got = await runXfer([...words.split(' '), '-o', '-']);
  assert.deepEqual([got.exitCode, got.stdout.toString()], [0, 'hello'], got.stderr);
  assert.equal((await served.exited).exitCode, 0);
  assert.match(served.output(), /^serve: the one download was made, so it ends$/m);
  const token = url.split('/').at(-2) as string;
  const [announced, logged] = served.output().split(/(?<=^download with: .*)\n/m) as [string, string];
  assert.ok(announced.includes(token) && !logged.includes(token), logged);
});

test('$XFER_TOKEN keeps the links, and --json tells the token in its URLs alone', limit, async (t) => {
  const above = folder(t);
  const served = start(t, join(above, 'root'), ['--token', '--json', '--expires', '1h'], { XFER_TOKEN: TOKEN });
  const [line] = await served.waitForLine(/^\{.*"type":"listening".*\}$/m);
  const { urls, port } = JSON.parse(line);
  assert.deepEqual(urls, [`http://127.0.0.1:${port}/${TOKEN}/`]);
  const file = `${urls[0]}a%20b.txt`;
  assert.equal(await (await fetch(file, { headers: { Referer: file } })).text(), 'hello');
  const [record] = await served.waitForLine(/^\{.*"type":"request".*\}$/m);
  assert.ok(record.includes('/***/a%20b.txt') && !record.includes(TOKEN), record);
});

test('xfer get asks for the password of the printed line', { ...limit, ...needs('script') }, async (t) => {
  const above = folder(t);
  const file = join(above, 'accounts');
  const made = await runXfer(['serve', '--hash-password', "o'hara x"], { input: 'pä ss\nmore\n' });
  assert.match(made.stdout.toString(), /^o'hara x:\$scrypt\$ln=15,r=8,p=3\$\S+\n$/, made.stderr);
  assert.ok(await new Accounts([parseAccount(made.stdout.toString().trimEnd())]).check("o'hara x", 'pä ss'));
  writeFileSync(file, made.stdout);
  const served = start(t, join(above, 'root'), ['--auth-file', file]);
  const [, words = ''] = await served.waitForLine(/^download with: xfer (get http:\/\/o%27hara%20x@\S+)$/m);
  const out = join(above, 'got.txt');
  const typed = `${process.execPath} ${XFER} ${words} -o ${out}`;
  const asking = startProgram('script', ['-qec', typed, '/dev/null'], { input: 'pä ss\r' });
  t.after(() => asking.stop());
  await asking.waitForLine(/Password of o'hara x on/);
  assert.equal((await asking.exited).exitCode, 0, asking.output());
  assert.equal(readFileSync(out, 'utf8'), 'hello');
  await served.waitForLine(/^127\.0\.0\.1 - o'hara\\x20x \[/m);
  assert.doesNotMatch(served.output(), /pä|ss"|scrypt/);
  // The same accounts, for SFTP.
  const sftp = startXfer(['serve', '--sftp', '-b', '127.0.0.1', '--auth-file', file, join(above, 'root'), '0'], {
    env: { XDG_CONFIG_HOME: above },
  });
  t.after(() => sftp.stop());
  await sftp.waitForLine(/^serving on sftp/m);
});

test('a password that goes over plain HTTP is said, where it leaves this machine', () => {
  const accounts = [{ user: 'anna', password: 'x' }];
  const said = (urls: string[]) => plainPasswordNotice({ accounts }, urls) !== undefined;
  assert.ok(said(['http://localhost:8000/', 'http://192.168.1.2:8000/']));
  assert.ok(said(['http://[fd00::2]:8000/x/']));
  assert.ok(!said(['http://localhost:8000/', 'http://127.0.0.1:1/', 'http://[::1]:1/', 'https://192.168.1.2:8000/']));
  assert.equal(plainPasswordNotice({}, ['http://192.168.1.2/']), undefined);
});

test('it is said on the command line too', limit, async (t) => {
  const above = folder(t);
  const away = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const hosts = away.some(({ internal, address }) => !internal && !/^(?:fe[89ab]|169\.254)/i.test(address));
  const served = startXfer(['serve', '--auth', 'anna:secret', join(above, 'root'), '0']);
  t.after(() => served.stop());
  await served.waitForLine(/^download with: xfer get http:\/\/anna@/m);
  if (hosts) await served.waitForLine(/^passwords go over plain HTTP/m);
  assert.doesNotMatch(served.output(), /secret/);
});

test('--allow, --allow-host and --auth-write', limit, async (t) => {
  const above = folder(t);
  const args = ['--allow', '127.0.0.1', '--allow-host', '*.example.org', '--auth', 'anna:x', '--auth-write'];
  const served = start(t, join(above, 'root'), args);
  const [, port] = await served.waitForLine(/^download with: xfer get http:\/\/127\.0\.0\.1:(\d+)\/a%20b\.txt$/m);
  const status = (method: string, host: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      // Its Host can be chosen, which fetch does not let one do.
      const asking = request({ port, path: '/a%20b.txt', method, headers: { host } }, (answer) => {
        resolve(answer.resume().statusCode);
      });
      asking.on('error', reject).end();
    });
  assert.equal(await status('GET', 'files.example.org'), 200);
  assert.equal(await status('GET', 'example.com'), 421);
  assert.equal(await status('PUT', 'localhost'), 401);
});

test('what is no option of it is refused, with a word on what to type', limit, async (t) => {
  const above = folder(t);
  const root = join(above, 'root');
  const htpasswd = join(above, 'htpasswd');
  writeFileSync(htpasswd, 'anna:$apr1$secret$secret\n');
  const cases: [string[], RegExp, Record<string, string>?][] = [
    [['--auth', ':secret'], /account: not of the form user:password/],
    [['--auth', 'anna:'], /account: not of the form user:password/],
    [['--auth-file', htpasswd], /hashed in a form that is not known here\n {2}hint: .*--hash-password/],
    [['--auth-write'], /option --auth-write: nobody could log in/],
    [['--token'], /token: not 22 to 128 letters/, { XFER_TOKEN: 'secret' }],
    [['--base-path', '/a/../b'], /base path \/a\/\.\.\/b: not a path\n {2}hint: --base-path \/files/],
    [['--expires', '1'], /option --expires 1: not a time to wait for\n {2}hint: as in 90s, 30m, 1h or 7d/],
    [['--expires', '0h'], /--expires 0h/],
    [['--expires', '4000d'], /--expires 4000d/],
    [['--max-downloads', '0'], /option --max-downloads 0/],
    [['--once', '--max-downloads', '2'], /option --once: with --max-downloads 2/],
    [['--allow', 'localhost'], /allowed address localhost: .*\n {2}hint: --allow 192\.168\.1\.0\/24/],
    [['--allow-host', 'http://a'], /allowed host http:\/\/a: not a name\n {2}hint: --allow-host files\.example\.org/],
    [['--hash-password', 'a:b'], /option --hash-password a:b: not a name/],
    [['--hash-password', 'anna'], /account anna: its password is empty/],
    [['--sftp', '--token'], /option --token: not over SFTP\n {2}hint: leave out --sftp/],
    [['--sftp', '--allow', '127.0.0.1'], /option --allow: not over SFTP/],
  ];
  const check = async ([words, text, env = {}]: (typeof cases)[number]): Promise<void> => {
    const { exitCode, stderr, stdout } = await runXfer(['serve', ...words, root, '0'], { env });
    assert.equal(exitCode, 2, `${words.join(' ')}\n${stderr}`);
    assert.match(stderr, text);
    assert.ok(!`${stderr}${stdout}`.includes('secret'), stderr);
  };
  await Promise.all(cases.map(check));
});
