import assert from 'node:assert/strict';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { HostResolver } from '#xfer/transports/ssh/config/canonical-host.js';
import { resolveSshConfig, type SshConfig, type SshConfigRequest } from '#xfer/transports/ssh/config/config.js';
import { failsWith } from '../../../support/fails-with.js';

let home: string;
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'xfer-match-'));
});
after(() => rm(home, { recursive: true, force: true }));

/** Knows these names, and what some of them are an alias of. */
function resolver(names: Record<string, string | undefined>): HostResolver & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    exists: async (name) => {
      asked.push(name);
      return Object.hasOwn(names, name);
    },
    aliasOf: async (name) => names[name] ?? names[`${name}.`],
  };
}

let count = 0;

async function resolve(text: string, request: Partial<SshConfigRequest> = {}): Promise<SshConfig> {
  const configFile = join(home, `config-${count++}`);
  await writeFile(configFile, text, { mode: 0o600 });
  const nobody = resolver({});
  return resolveSshConfig({ host: 'alpha', home, localUser: 'me', configFile, resolver: nobody, ...request });
}

const onPosix = { skip: process.platform === 'win32' };

describe('Match', { timeout: 30_000 }, () => {
  test('exec asks the shell, with tokens expanded and one answer for each line', onPosix, async () => {
    const text =
      'HostName %h.example\nUser you\nMatch exec "test %h-%n-%r-%u-%p = alpha.example-alpha-you-me-22"\nPort 5';
    assert.equal((await resolve(text)).port, 5);
    assert.equal((await resolve('Match exec "exit 3"\nPort 5\nMatch !exec "exit 3"\nPort 6')).port, 6);
    assert.equal(
      (await resolve(`Match exec "test $XFER_TEST = a"\nPort 5`, { environment: { XFER_TEST: 'a' } })).port,
      5,
    );
    assert.equal((await resolve('Match exec "cat; echo out; echo err >&2"\nPort 7')).port, 7);
  });

  test('exec starts nothing where an earlier criterion fails, nor in a file that does not count', onPosix, async () => {
    const mark = join(home, 'mark');
    await writeFile(join(home, 'part'), `Match exec "touch ${mark}"\nUser x\n`, { mode: 0o600 });
    await resolve(`Match host other exec "touch ${mark}"\nPort 5\nHost other\nInclude ${join(home, 'part')}`);
    await assert.rejects(access(mark));
    await resolve(`Include ${join(home, 'part')}`);
    await access(mark);
  });

  test('exec never sees a name that means something to a shell', onPosix, async () => {
    const mark = join(home, 'owned');
    const exec = `Match exec "true %h %r %n"\nPort 5`;
    for (const user of [`\`touch ${mark}\``, `$(touch ${mark})`, 'a;b', "a'b", 'a\nb', '-oX', 'a|b']) {
      await assert.rejects(resolve(exec, { user }), failsWith('USAGE', /not a user name/), user);
      if (/[\n"`]/.test(user)) continue;
      await assert.rejects(resolve(`User "${user}"\n${exec}`), failsWith('USAGE', /not a user name/), user);
    }
    for (const host of [`\`touch ${mark}\``, '$(x)', 'a;b', 'a,b', 'a b', '-x', 'a\u0007b']) {
      await assert.rejects(resolve(exec, { host }), failsWith('USAGE', /not a host name/), host);
    }
    await assert.rejects(resolve(`HostName "x;touch ${mark}"\n${exec}`), failsWith('USAGE', /not a host name/));
    await assert.rejects(resolve('Match exec "true %u"', { localUser: 'a;b' }), failsWith('USAGE', /not a user name/));
    await assert.rejects(access(mark));
  });

  test('exec fails for a signal, a shell that is not there, an unknown token and an abort', onPosix, async () => {
    await assert.rejects(resolve('Match exec "kill $$"'), failsWith('USAGE', /config-\d+:1.*SIGTERM/));
    const environment = { SHELL: '/nonexistent/shell' };
    await assert.rejects(resolve('Match exec true', { environment }), failsWith('USAGE', /cannot be started/));
    await assert.rejects(resolve('Match host other exec "true %z"'), failsWith('USAGE', /unknown token %z/));
    const stop = new AbortController();
    const waiting = resolve('Match exec "sleep 20"', { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await assert.rejects(waiting, /^Error: enough$/);
  });

  test('final reads the files again, for the host that came out', async () => {
    const text =
      'Host alpha\nHostName beta\nMatch final host beta\nPort 5\nMatch final originalhost beta\nPort 6\nHost beta\nUser b';
    const config = await resolve(text);
    assert.deepEqual([config.hostName, config.port, config.user], ['beta', 5, 'b']);
    assert.equal((await resolve('Match canonical\nPort 5')).port, 22);
    assert.equal((await resolve('Match !final all\nPort 5')).port, 5);
    assert.deepEqual((await resolve('IdentityFile /k\nMatch final\nIdentityFile /l')).identityFiles, ['/k', '/l']);
  });

  test('takes newer criteria as not matching, and says so', async () => {
    const config = await resolve('Match tagged work\nPort 5\nMatch !localnetwork 10.0.0.0/8 host other\nPort 6');
    assert.equal(config.port, 22);
    assert.deepEqual(
      config.unsupported.map((line) => line.replace(/\(.*:/, '(:')),
      ['Match tagged (:1)'],
    );
  });
});

describe('CanonicalizeHostname', { timeout: 30_000 }, () => {
  const rules = 'CanonicalizeHostname yes\nCanonicalDomains one.example two.example.\n';

  test('finds a name under the first suffix that has it, and reads the files again', async () => {
    const names = resolver({ 'alpha.two.example.': undefined });
    const config = await resolve(`${rules}Match canonical host *.two.example\nPort 5\nHost alpha.two.example\nUser b`, {
      resolver: names,
    });
    assert.deepEqual([config.hostName, config.port, config.user], ['alpha.two.example', 5, 'b']);
    assert.deepEqual(names.asked, ['alpha.one.example.', 'alpha.two.example.']);
    const anchored = await resolve(rules, { host: 'beta.', resolver: resolver({ 'beta.': undefined }) });
    assert.equal(anchored.hostName, 'beta');
  });

  test('leaves alone what has enough dots, goes through a proxy, or is an address', async () => {
    for (const [text, host, expected] of [
      ['', 'a.b.c', 'a.b.c'],
      ['CanonicalizeMaxDots 0', 'A.b', 'a.b'],
      ['ProxyJump bastion', 'alpha', 'alpha'],
      ['', '127.1', '127.0.0.1'],
    ] as const) {
      const names = resolver({});
      assert.equal((await resolve(`${rules}${text}`, { host, resolver: names })).hostName, expected);
      assert.deepEqual(names.asked, []);
    }
    const names = resolver({ 'alpha.one.example.': undefined });
    const always = await resolve(`CanonicalizeHostname always\n${rules}ProxyJump bastion`, { resolver: names });
    assert.equal(always.hostName, 'alpha.one.example');
  });

  test('falls back to the name as it is, unless that is forbidden', async () => {
    assert.equal((await resolve(rules)).hostName, 'alpha');
    const text = `${rules}CanonicalizeFallbackLocal no`;
    await assert.rejects(resolve(text), failsWith('UNREACHABLE', /alpha: no such host/));
    assert.equal((await resolve(text, { host: 'a.b.c' })).hostName, 'a.b.c');
  });

  test('follows an alias where it is permitted', async () => {
    const names = resolver({ 'alpha.one.example.': 'Real.two.example.', alpha: 'real.two.example' });
    const permit = (list: string) => `${rules}CanonicalizePermittedCNAMEs ${list}`;
    const request = { resolver: names };
    assert.equal((await resolve(permit('*.one.example:*.two.example'), request)).hostName, 'real.two.example');
    assert.equal((await resolve(permit('*'), request)).hostName, 'real.two.example');
    assert.equal((await resolve(permit('*.one.example:*.three.example'), request)).hostName, 'alpha.one.example');
    assert.equal((await resolve(permit('none'), request)).hostName, 'alpha.one.example');
    const bare = 'CanonicalizeHostname yes\nCanonicalizePermittedCNAMEs alpha:*.example';
    assert.equal((await resolve(bare, request)).hostName, 'real.two.example');
    await assert.rejects(resolve(bare), failsWith('UNREACHABLE', /alpha/));
    const odd = resolver({ alpha: 'x;y' });
    assert.equal((await resolve(bare.replace('*.example', '*'), { resolver: odd })).hostName, 'alpha');
  });
});
