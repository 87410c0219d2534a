/** What is asked of a host key beside known_hosts: its address, lists of revoked keys, a command, a length. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type HostKeyRequest, verifyHostKey } from '#xfer/transports/ssh/host-keys/host-key.js';
import { rsaBits } from '#xfer/transports/ssh/host-keys/public-key.js';
import { failsWith } from '../../../support/fails-with.js';
import { needs } from '../../../support/peers.js';
import { hashedName, makeKey } from '../made-up.js';
import { denied, EVERY_POLICY, hostKeyRig, KEY, keyLine, OTHER, person } from './host-key-rig.js';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xfer-host-key-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const rig = (text: string, options: readonly string[], more: Partial<HostKeyRequest> = {}) =>
  hostKeyRig(folder, text, options, more);

const ADDRESS = '192.0.2.7';
const CHECKED = 'CheckHostIP=yes';

describe('CheckHostIP', { timeout: 30_000 }, () => {
  test('adds the address of a known host, also where nothing new is accepted', async () => {
    const { request, file, notices } = await rig(keyLine('alpha', KEY), [CHECKED, 'StrictHostKeyChecking=yes'], {
      address: ADDRESS,
    });
    await verifyHostKey(request);
    assert.equal(await readFile(file, 'utf8'), keyLine('alpha', KEY) + keyLine(ADDRESS, KEY));
    assert.match(notices.join(), /192\.0\.2\.7.*added/);
  });

  test('adds a new host with its address, on one line or hidden on two', async () => {
    const more = { address: ADDRESS };
    const plain = await rig('', [CHECKED, 'StrictHostKeyChecking=no', 'Port=2222'], more);
    await verifyHostKey(plain.request);
    assert.equal(await readFile(plain.file, 'utf8'), keyLine(`[alpha]:2222,[${ADDRESS}]:2222`, KEY));
    const hidden = await rig('', [CHECKED, 'StrictHostKeyChecking=no', 'HashKnownHosts=yes'], more);
    await verifyHostKey(hidden.request);
    assert.match(await readFile(hidden.file, 'utf8'), /^(\|1\|\S+ ssh-ed25519 \S+\n){2}$/);
    const alias = await rig('', [CHECKED, 'StrictHostKeyChecking=no', 'HostKeyAlias=Nick', 'Port=2222'], more);
    await verifyHostKey(alias.request);
    assert.equal(await readFile(alias.file, 'utf8'), keyLine(`nick,[${ADDRESS}]:2222`, KEY));
  });

  test('refuses an address that is known by another key, unless the person or `no` takes it', async () => {
    const text = keyLine('alpha', KEY) + keyLine(ADDRESS, OTHER);
    const more = { address: ADDRESS };
    for (const policy of ['yes', 'accept-new', 'ask']) {
      const { request } = await rig(text, [CHECKED, `StrictHostKeyChecking=${policy}`], more);
      await denied(verifyHostKey(request), /192\.0\.2\.7: it changed.*:2/, /ssh-keygen -R/);
    }
    const prompt = person('yes');
    await verifyHostKey((await rig(text, [CHECKED], { ...more, prompt })).request);
    assert.match(prompt.asked[0] as string, /differs from the one of its address 192\.0\.2\.7/);
    const off = await rig(text, [CHECKED, 'StrictHostKeyChecking=no'], more);
    await verifyHostKey(off.request);
    assert.match(off.notices.join(), /differs/);
    const revoked = await rig(`${keyLine('alpha', KEY)}@revoked ${keyLine(ADDRESS, KEY)}`, [CHECKED], more);
    await denied(verifyHostKey(revoked.request), /revoked in .*:2/, /administrator/);
  });

  test('is off where nothing was said, through a proxy, on this machine and for an address that was typed', async () => {
    const text = keyLine('alpha,127.0.0.1', KEY) + keyLine(`${ADDRESS},127.0.0.2`, OTHER);
    for (const [options, address] of [
      [[], ADDRESS],
      [[CHECKED], undefined],
      [[CHECKED], '127.0.0.2'],
      [[CHECKED, 'HostName=127.0.0.1'], '127.0.0.1'],
    ] as const) {
      const { request, file } = await rig(text, options, { address });
      await verifyHostKey(request);
      assert.equal(await readFile(file, 'utf8'), text);
    }
  });
});

test('NoHostAuthenticationForLocalhost takes every key of this machine, and of no other', async () => {
  const option = 'NoHostAuthenticationForLocalhost=yes';
  const text = keyLine('alpha', OTHER);
  for (const address of ['127.0.0.1', '::1']) {
    await verifyHostKey((await rig(text, [option, 'StrictHostKeyChecking=yes'], { address })).request);
  }
  for (const [options, address] of [
    [[option], ADDRESS],
    [[option], undefined],
    [[option, 'HostKeyAlias=alpha'], '127.0.0.1'],
    [[], '127.0.0.1'],
  ] as const) {
    await denied(verifyHostKey((await rig(text, options, { address })).request), /changed/, /ssh-keygen -R/);
  }
});

describe('RevokedHostKeys', { timeout: 30_000 }, () => {
  const revoking = async (text: string | Buffer): Promise<string> => {
    const file = join(folder, 'revoked');
    await writeFile(file, text);
    return `RevokedHostKeys=${file}`;
  };
  const publicLine = (key: Buffer) => keyLine('', key).trim();

  test('refuses a key that is listed, under every setting and for localhost', async () => {
    const option = await revoking(`# a list\n\n${publicLine(OTHER)} old\n ${publicLine(KEY)}\n`);
    for (const policy of EVERY_POLICY) {
      const options = [option, `StrictHostKeyChecking=${policy}`, 'NoHostAuthenticationForLocalhost=yes'];
      const { request } = await rig(keyLine('alpha', KEY), options, { address: '127.0.0.1', prompt: person('yes') });
      await denied(verifyHostKey(request), /revoked in .*revoked:4/, /administrator/);
    }
    const other = await rig(keyLine('alpha', KEY), [await revoking(publicLine(OTHER))]);
    await verifyHostKey(other.request);
  });

  test('refuses every key where the list is missing or is none', async () => {
    for (const option of [
      `RevokedHostKeys=${join(folder, 'nowhere')}`,
      await revoking('alpha\n'),
      await revoking('a b'),
    ]) {
      const { request } = await rig(keyLine('alpha', KEY), [option], { prompt: person('yes') });
      await denied(verifyHostKey(request), /revoked host keys/, /^/);
    }
  });

  test('names a key revocation list as what the system can read', needs('ssh-keygen'), async () => {
    const list = join(folder, 'list.krl');
    const key = join(folder, 'listed.pub');
    await writeFile(key, `${publicLine(OTHER)}\n`);
    execFileSync('ssh-keygen', ['-k', '-f', list, key], { timeout: 10_000, stdio: 'ignore' });
    const { request } = await rig(keyLine('alpha', KEY), [`RevokedHostKeys=${list}`]);
    await assert.rejects(verifyHostKey(request), failsWith('UNSUPPORTED', /list\.krl: a key revocation list/));
  });
});

describe('KnownHostsCommand', { timeout: 30_000, skip: process.platform === 'win32' }, () => {
  test('says by which keys a host is known; nothing is written', async () => {
    const options = ['KnownHostsCommand=/bin/echo "%H" %t %K', 'StrictHostKeyChecking=yes', 'Port=2222'];
    const { request, file, notices } = await rig('', options);
    await verifyHostKey(request);
    await assert.rejects(stat(file));
    assert.deepEqual(notices, []);
  });

  test('gets each question, in an argument that no shell reads', async () => {
    const log = join(folder, 'log');
    const script = join(folder, 'keys');
    await writeFile(script, `#!/bin/sh\nfor a; do printf '[%s]' "$a"; done >> ${log}\n`, { mode: 0o700 });
    const command = `KnownHostsCommand=${script} %I %H %n %r %f "a b" $(x) $\{XFER_WHAT}`;
    process.env.XFER_WHAT = '%h;';
    after(() => delete process.env.XFER_WHAT);
    const { request } = await rig(keyLine('alpha', KEY), [command, CHECKED], { address: ADDRESS });
    await verifyHostKey(request);
    const end = (print: string) => `[alpha][me][${print}][a b][$(x)][%h;]`;
    const print = `SHA256:[^\\]]{43}`;
    const wanted = `[ORDER][alpha]${end('NONE')}[HOSTNAME][alpha]${end('F')}[ADDRESS][${ADDRESS}]${end('F')}`;
    const pattern = wanted.replace(/[[\]().$;|]/g, '\\$&').replaceAll('\\[F\\]', `\\[${print}\\]`);
    assert.match(await readFile(log, 'utf8'), new RegExp(`^${pattern}$`));
  });

  test('orders the algorithms', async () => {
    const key = makeKey('ecdsa-sha2-nistp256', 4).toString('base64');
    const command = `KnownHostsCommand=/bin/echo %H ecdsa-sha2-nistp256 ${key}`;
    assert.deepEqual((await rig(keyLine('alpha', KEY), [command])).keyTypes, ['ssh-ed25519', 'ecdsa-sha2-nistp256']);
    for (const [text, option] of [
      [keyLine('nick', KEY), 'HostKeyAlias=Nick'],
      [keyLine('[alpha]:2222', KEY), 'Port=2222'],
      [keyLine(hashedName('[alpha]:2222'), KEY), 'Port=2222'],
    ] as const) {
      assert.deepEqual((await rig(text, [option])).keyTypes, ['ssh-ed25519']);
      assert.deepEqual((await rig(text, [])).keyTypes, []);
    }
  });

  test('that fails or is not right lets nothing through', async () => {
    const text = keyLine('alpha', KEY);
    await denied(rig(text, ['KnownHostsCommand=/bin/false']), /\/bin\/false: it failed: exit code 1/, /^/);
    await denied(rig(text, ['KnownHostsCommand=/nonexistent/x']), /it failed/, /^/);
    await assert.rejects(rig(text, ['KnownHostsCommand=echo a']), failsWith('USAGE', /not a whole path/));
    await assert.rejects(rig(text, ['KnownHostsCommand=/bin/echo %z']), failsWith('USAGE', /unknown token %z/));
    const { request } = await rig('', ['KnownHostsCommand=/bin/echo alpha ssh-ed25519 AAAA', 'BatchMode=yes']);
    await denied(verifyHostKey(request), /not known/, /accept-new/);
  });
});

test('a host that only a certificate authority vouches for is unknown, and the person is told', async () => {
  const text = `@cert-authority ${keyLine('*', KEY)}`;
  const { request, notices } = await rig(text, ['StrictHostKeyChecking=yes']);
  await denied(verifyHostKey(request), /is not known/, /xfer scp -S ssh/);
  assert.match(notices.join(), /known-\S+:1 trusts a certificate authority, which is passed over/);
  const known = await rig(text + keyLine('alpha', KEY), ['StrictHostKeyChecking=yes']);
  await verifyHostKey(known.request);
  assert.deepEqual(known.notices, []);
});

test('an RSA key that is too short is refused', async () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const parts = ['ssh-rsa', Buffer.from(e, 'base64url'), Buffer.concat([Buffer.alloc(1), Buffer.from(n, 'base64url')])];
  const key = Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part as Buffer);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
  assert.equal(rsaBits(key), 1024);
  assert.equal(rsaBits(KEY), undefined);
  const text = `alpha ssh-rsa ${key.toString('base64')}\n`;
  await verifyHostKey((await rig(text, [], { key })).request);
  const { request } = await rig(text, ['RequiredRSASize=2048'], { key });
  await denied(verifyHostKey(request), /1024 bits, fewer than 2048/, /RequiredRSASize/);
  for (const length of [11, 15, 20])
    assert.ok((rsaBits(Buffer.concat([key.subarray(0, length), Buffer.alloc(1)])) ?? 0) < 1024);
});
