import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Prompt } from '#xfer/transport.js';
import { type HostKeyRequest, verifyHostKey } from '#xfer/transports/ssh/host-keys/host-key.js';
import { fingerprint } from '#xfer/transports/ssh/host-keys/public-key.js';
import { needs } from '../../../support/peers.js';
import { denied, EVERY_POLICY, hostKeyRig, KEY, keyLine as line, OTHER, person } from './host-key-rig.js';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xfer-host-key-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const missing = (file: string) => assert.rejects(stat(file));

const rig = (text: string, options: readonly string[], more: Partial<HostKeyRequest> = {}) =>
  hostKeyRig(folder, text, options, more);

describe('the host key', { timeout: 30_000 }, () => {
  test('is taken where it is known, under every setting, without a word', async () => {
    for (const policy of EVERY_POLICY) {
      const { request, notices } = await rig(line('alpha', KEY), [`StrictHostKeyChecking=${policy}`]);
      await verifyHostKey(request);
      assert.deepEqual(notices, []);
    }
  });

  test('is refused where it changed, under every setting, and nothing is written', async () => {
    for (const policy of EVERY_POLICY) {
      const prompt = person('yes');
      const { request, file } = await rig(line('alpha', OTHER), [`StrictHostKeyChecking=${policy}`], { prompt });
      await denied(verifyHostKey(request), /alpha: it changed.*known-\S+:1/, /ssh-keygen -R 'alpha'/);
      assert.equal(await readFile(file, 'utf8'), line('alpha', OTHER));
      assert.deepEqual(prompt.asked, []);
    }
  });

  test('is refused where it is revoked, under every setting', async () => {
    for (const policy of EVERY_POLICY) {
      const text = line('alpha', KEY) + line('@revoked *', KEY);
      const { request } = await rig(text, [`StrictHostKeyChecking=${policy}`], { prompt: person('yes') });
      await denied(verifyHostKey(request), /revoked in .*:2/, /administrator/);
    }
  });

  test('is refused with what to type where a person could be asked, and there is no terminal', async () => {
    const prompt = person();
    const { request, file } = await rig('', [], { prompt });
    await denied(verifyHostKey(request), /alpha: ED25519 SHA256:\S{43} is not known/, /accept-new/);
    await missing(file);
    assert.equal(prompt.asked.length, 1);
  });

  test('is refused where it is unknown and yes, BatchMode or the want of a person says so', async () => {
    for (const [options, prompt] of [
      [['StrictHostKeyChecking=yes'], person('yes')],
      [['StrictHostKeyChecking=ask', 'BatchMode=yes'], person('yes')],
      [['StrictHostKeyChecking=ask'], undefined],
    ] as const) {
      const { request, file } = await rig('', options, { prompt });
      await denied(verifyHostKey(request), /alpha: ED25519 SHA256:\S{43} is not known/, /accept-new/);
      await missing(file);
      assert.deepEqual(prompt?.asked ?? [], []);
    }
  });

  test('is added where it is new and accept-new or no says so', async () => {
    for (const policy of ['accept-new', 'no']) {
      const { request, file, notices } = await rig('', [`StrictHostKeyChecking=${policy}`, 'Port=2222']);
      await verifyHostKey(request);
      assert.equal(await readFile(file, 'utf8'), line('[alpha]:2222', KEY));
      assert.equal(notices.length, 1);
      assert.match(notices[0] as string, /\[alpha\]:2222.*added/);
    }
  });

  test('is added in hidden form, and under its alias', async () => {
    const { request, file } = await rig('', ['StrictHostKeyChecking=no', 'HashKnownHosts=yes']);
    await verifyHostKey(request);
    assert.match(await readFile(file, 'utf8'), /^\|1\|/);
    const alias = await rig('', ['StrictHostKeyChecking=no', 'HostKeyAlias=Nick', 'Port=2222']);
    await verifyHostKey(alias.request);
    assert.equal(await readFile(alias.file, 'utf8'), line('nick', KEY));
  });

  test('is taken on a yes or its fingerprint', async () => {
    for (const answers of [['yes'], ['what?', 'YES '], [fingerprint(KEY)]]) {
      const prompt = person(...answers);
      const { request, file } = await rig('', [], { prompt });
      await verifyHostKey(request);
      assert.equal(await readFile(file, 'utf8'), line('alpha', KEY));
      assert.ok(prompt.asked[0]?.includes(fingerprint(KEY)));
    }
  });

  test('is asked about with the places where it is known by another name', async () => {
    const prompt = person('no');
    const { request } = await rig(line('beta', KEY) + line('gamma', OTHER) + line('delta', KEY), [], { prompt });
    await denied(verifyHostKey(request), /was not accepted/, /^/);
    assert.match(prompt.asked[0] as string, /another name in \S+:1, \S+:3\. Are you sure/);
    const many = person('no');
    const rest = await rig(line('beta', KEY).repeat(20), [], { prompt: many });
    await denied(verifyHostKey(rest.request), /was not accepted/, /^/);
    assert.match(many.asked[0] as string, /:8 and 12 more\./);
  });

  test('is refused on a no, another fingerprint and endless nonsense', async () => {
    for (const answers of [['no'], [''], [fingerprint(OTHER), 'no'], Array.from({ length: 99 }, () => 'x')]) {
      const prompt = person(...answers);
      const { request, file } = await rig('', [], { prompt });
      await denied(verifyHostKey(request), /was not accepted/, /^/);
      await missing(file);
      assert.ok(prompt.asked.length <= 10);
    }
  });

  test('is not written down without a file to write to', async () => {
    for (const where of ['none', '/dev/null']) {
      const { request, file, notices } = await rig('', ['StrictHostKeyChecking=no', `UserKnownHostsFile=${where}`]);
      await verifyHostKey(request);
      await missing(file);
      assert.match(notices[0] as string, /not written down/);
    }
  });

  test('is taken, with a word, where it was accepted and cannot be written down', async () => {
    const nowhere = `UserKnownHostsFile=${join(folder, 'a', 'b', 'c')}`;
    for (const [policy, prompt] of [
      ['accept-new', undefined],
      ['no', undefined],
      ['ask', person('yes')],
    ] as const) {
      const { request, notices } = await rig('', [`StrictHostKeyChecking=${policy}`, nowhere], { prompt });
      await verifyHostKey(request);
      assert.equal(notices.length, 1);
      assert.match(notices[0] as string, /alpha: .* not written down: known hosts \S+: no such file or directory/);
    }
  });

  test('is refused where anything else fails', async () => {
    const { request } = await rig('', ['StrictHostKeyChecking=accept-new']);
    const broken: Prompt = { ...person(), line: () => Promise.reject(new Error('no terminal')) };
    await assert.rejects(verifyHostKey((await rig('', [], { prompt: broken })).request), /no terminal/);
    await assert.rejects(verifyHostKey({ ...request, key: Buffer.alloc(5) }), /not a key/);
  });

  test('is refused with the reason of an abort, also while a person is asked', async () => {
    const early = await rig(line('alpha', KEY), [], { scope: { signal: AbortSignal.abort(new Error('stopped')) } });
    await assert.rejects(verifyHostKey(early.request), /^Error: stopped$/);
    const abort = new AbortController();
    const prompt: Prompt = {
      ...person(),
      line: async () => {
        abort.abort(new Error('stopped'));
        return 'yes';
      },
    };
    const { request, file } = await rig('', [], { prompt, scope: { signal: abort.signal } });
    await assert.rejects(verifyHostKey(request), /^Error: stopped$/);
    await missing(file);
  });

  test('has the fingerprint that ssh-keygen shows', needs('ssh-keygen'), async () => {
    const file = join(folder, 'key.pub');
    await writeFile(file, `ssh-ed25519 ${KEY.toString('base64')} c\n`);
    const said = execFileSync('ssh-keygen', ['-lf', file], { encoding: 'utf8', timeout: 10_000 });
    assert.equal(said.split(' ')[1], fingerprint(KEY));
  });
});
