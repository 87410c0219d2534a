import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, chmod, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import { addKnownHost } from '#xfer/transports/ssh/host-keys/add-known-host.js';
import { KnownHosts } from '#xfer/transports/ssh/host-keys/known-hosts.js';
import { hashedName as hashed, knownLine as line, makeKey } from '../made-up.js';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xfer-known-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const KEYS = [0, 1, 2, 3].map((seed) => makeKey('ssh-ed25519', seed));
const [K0, K1, K2] = KEYS as [Buffer, Buffer, Buffer];
const OTHER_TYPE = makeKey('ecdsa-sha2-nistp256', 9);

let count = 0;
async function put(lines: readonly string[], end = '\n'): Promise<string> {
  const file = join(folder, `known-${count++}`);
  await writeFile(file, lines.join('\n') + end);
  return file;
}

async function load(...lines: string[]): Promise<KnownHosts> {
  return KnownHosts.load([await put(lines)]);
}

describe('known hosts', { timeout: 30_000 }, () => {
  test('finds plain, listed, wildcard, bracketed and hashed names', async () => {
    const known = await load(
      line('alpha,beta.example', K0),
      line('*.wild.example,!not.wild.example', K1),
      line('[alpha]:2222', K1),
      line(hashed('secret'), K2),
      line(hashed('[secret]:2022'), K1),
      line('2001:db8::1', K2),
    );
    const lines = (host: string, port = 22) => known.lookup(host, port).map((found) => found.line);
    assert.deepEqual(lines('alpha'), [1]);
    assert.deepEqual(lines('ALPHA'), [1]);
    assert.deepEqual(lines('beta.example'), [1]);
    assert.deepEqual(lines('a.wild.example'), [2]);
    assert.deepEqual(lines('not.wild.example'), []);
    assert.deepEqual(lines('alpha', 2222), [3]);
    assert.deepEqual(lines('secret'), [4]);
    assert.deepEqual(lines('secret', 2022), [5]);
    assert.deepEqual(lines('2001:DB8::1'), [6]);
    assert.deepEqual(lines('alph'), []);
  });

  test('judges a key as OpenSSH does', async () => {
    const known = await load(
      line('h', K0),
      line('h', K1),
      line('old', K2, '@revoked '),
      line('*', KEYS[3] as Buffer, '@revoked '),
    );
    assert.equal(known.check('h', 22, K1).verdict, 'known');
    assert.equal(known.check('h', 22, K1).line, 2);
    assert.equal(known.check('h', 22, K2).verdict, 'changed');
    assert.equal(known.check('h', 22, K2).line, 1);
    assert.equal(known.check('h', 22, OTHER_TYPE).verdict, 'changed');
    assert.equal(known.check('new', 22, K0).verdict, 'unknown');
    assert.equal(known.check('old', 22, K2).verdict, 'revoked');
    assert.equal(known.check('old', 22, K0).verdict, 'unknown');
    assert.equal(known.check('h', 22, KEYS[3] as Buffer).verdict, 'revoked');
    assert.deepEqual(known.keyTypes('old', 22), []);
  });

  test('knows a host on another port by a line without it, and never calls it changed for that', async () => {
    const known = await load(line('h', K0), line('[both]:2', K1), line('both', K0), line('h', K2, '@revoked '));
    assert.equal(known.check('h', 2, K0).verdict, 'known');
    assert.equal(known.check('h', 2, K1).verdict, 'unknown');
    assert.equal(known.check('h', 2, K2).verdict, 'revoked');
    assert.equal(known.check('both', 2, K0).verdict, 'changed');
    assert.deepEqual(known.keyTypes('h', 2), ['ssh-ed25519']);
  });

  test('gives the types of a host in the order of the files', async () => {
    const first = await put([line('h', OTHER_TYPE)]);
    const second = await put([line('h', K0), line('h', K1)]);
    const known = await KnownHosts.load([join(folder, 'missing'), first, second]);
    assert.deepEqual(known.keyTypes('h', 22), ['ecdsa-sha2-nistp256', 'ssh-ed25519']);
    assert.equal(known.check('h', 22, K1).file, second);
  });

  test('leaves out lines that are not right, and certificate authorities', async () => {
    const known = await load(
      '# comment',
      '',
      'h',
      'h ssh-ed25519',
      'h ssh-ed25519 !!!!',
      `h ssh-rsa ${K0.toString('base64')}`,
      `h ssh-ed25519 ${Buffer.from([0, 0, 1, 0, 65]).toString('base64')}`,
      line('h', makeKey('ssh-unheard-of', 1)),
      line('h', K1, '@unheard '),
      line('h', K1, '@revoked @revoked '),
      line('|1|x|y', K1),
      line('|2|x|y', K1),
      line('h', K2, '@cert-authority '),
      `  \t${line('h', K0).replaceAll(' ', '\t  ')}\r`,
    );
    assert.deepEqual(
      known.lookup('h', 22).map((found) => found.line),
      [14],
    );
    assert.deepEqual(
      known.authorities('h', 2222).map((place) => place.line),
      [13],
    );
    assert.deepEqual(known.authorities('other', 22), []);
    assert.equal(known.skippedCount, 8);
  });

  test('needs no newline at the end', async () => {
    const known = await KnownHosts.load([await put([line('a', K0), line('b', K1)], '')]);
    assert.equal(known.check('b', 22, K1).verdict, 'known');
  });

  test('trusts nothing where a file cannot be read whole', async () => {
    const good = await put([line('h', K0)]);
    const large = await put([line('h', K0)]);
    await truncate(large, 16 * 1024 * 1024 + 1);
    for (const bad of [folder, large]) {
      await assert.rejects(
        KnownHosts.load([good, bad]),
        (error) => error instanceof XferError && error.code === 'DENIED',
      );
    }
    if (process.platform === 'win32' || process.getuid?.() === 0) return;
    await chmod(good, 0);
    await assert.rejects(KnownHosts.load([good]), (error) => error instanceof XferError && error.code === 'DENIED');
  });

  test('does not wait for a writer of a FIFO', { skip: process.platform === 'win32' }, async () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    await assert.rejects(KnownHosts.load([fifo]), (error) => error instanceof XferError && error.code === 'DENIED');
  });

  test('rejects what is no key', async () => {
    const known = await load(line('h', K0));
    for (const bad of [Buffer.alloc(0), Buffer.alloc(3), Buffer.alloc(40), Buffer.from([0, 0, 0, 2, 27, 65, 1])]) {
      assert.throws(
        () => known.check('h', 22, bad),
        (error) => error instanceof XferError && error.code === 'PROTOCOL',
      );
    }
  });
});

describe('adding a known host', { timeout: 30_000 }, () => {
  test('makes the directory and the file for the person alone, and appends whole lines', async () => {
    const file = join(folder, 'made', 'known_hosts');
    await addKnownHost(file, { hosts: [{ host: 'Alpha', port: 22 }], key: K0, hash: false });
    await addKnownHost(file, { hosts: [{ host: 'alpha', port: 2222 }], key: K1, hash: false });
    await addKnownHost(file, { hosts: [{ host: 'beta', port: 2 }], key: K2, hash: true });
    const text = await readFile(file, 'utf8');
    assert.match(text, /^alpha ssh-ed25519 \S+\n\[alpha\]:2222 ssh-ed25519 \S+\n\|1\|\S+=\|\S+= ssh-ed25519 \S+\n$/);
    if (process.platform !== 'win32') {
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      assert.equal((await stat(join(folder, 'made'))).mode & 0o777, 0o700);
    }
    const known = await KnownHosts.load([file]);
    assert.equal(known.check('alpha', 2222, K1).verdict, 'known');
    assert.equal(known.check('beta', 2, K2).verdict, 'known');
  });

  test('adds the newline that a file lacks', async () => {
    const file = await put([line('a', K0)], '');
    await addKnownHost(file, { hosts: [{ host: 'b', port: 22 }], key: K1, hash: false });
    const known = await KnownHosts.load([file]);
    assert.equal(known.check('a', 22, K0).verdict, 'known');
    assert.equal(known.check('b', 22, K1).verdict, 'known');
    await appendFile(file, '\n');
    await addKnownHost(file, { hosts: [{ host: 'c', port: 22 }], key: K1, hash: false });
    assert.ok(!(await readFile(file, 'utf8')).includes('\n\n\n'));
  });

  test('keeps every line of several that add at once', async () => {
    const file = join(folder, 'several');
    const hosts = Array.from({ length: 20 }, (_, at) => `host-${at}`);
    await Promise.all(hosts.map((host) => addKnownHost(file, { hosts: [{ host, port: 22 }], key: K0, hash: false })));
    const known = await KnownHosts.load([file]);
    for (const host of hosts) assert.equal(known.check(host, 22, K0).verdict, 'known');
  });

  test('refuses a name that would be read back as another, and a key that is none', async () => {
    const file = join(folder, 'untouched');
    for (const host of ['', '*', 'a,b', 'a b', 'a\nb', '!a', '|1|x', '@revoked', '#a', 'a\u0007']) {
      await assert.rejects(
        addKnownHost(file, { hosts: [{ host, port: 22 }], key: K0, hash: false }),
        (error) => error instanceof XferError && error.code === 'USAGE',
      );
    }
    await assert.rejects(addKnownHost(file, { hosts: [{ host: 'a', port: 22 }], key: Buffer.alloc(9), hash: false }));
    await assert.rejects(stat(file));
  });

  test('writes nothing to /dev/null', async () => {
    await addKnownHost('/dev/null', { hosts: [{ host: 'a', port: 22 }], key: K0, hash: false });
  });
});
