import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import { resolveSshConfig, type SshConfig, type SshConfigRequest } from '#xfer/transports/ssh/config/config.js';

let home: string;
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'xfer config '));
  await mkdir(join(home, '.ssh'), { mode: 0o700 });
});
after(() => rm(home, { recursive: true, force: true }));

async function put(name: string, text: string | Buffer, mode = 0o600): Promise<string> {
  const path = join(home, name);
  await writeFile(path, text, { mode });
  return path;
}

let count = 0;

/** The configuration that `text` gives for a host. */
async function resolve(text: string, request: Partial<SshConfigRequest> = {}): Promise<SshConfig> {
  const configFile = await put(`config-${count++}`, text);
  return resolveSshConfig({ host: 'alpha', home, localUser: 'me', configFile, ...request });
}

async function fails(run: Promise<unknown>, code: string, words: RegExp): Promise<void> {
  await assert.rejects(run, (error) => {
    assert.ok(error instanceof XferError);
    assert.equal(error.code, code);
    assert.match(error.message, words);
    return true;
  });
}

describe('ssh configuration', { timeout: 30_000 }, () => {
  test('has defaults where nothing is set', async () => {
    const config = await resolveSshConfig({ host: 'Alpha', configFile: 'none', home, localUser: 'me' });
    assert.equal(config.host, 'Alpha');
    assert.equal(config.hostName, 'alpha');
    assert.equal(config.user, 'me');
    assert.equal(config.port, 22);
    assert.deepEqual(
      config.identityFiles,
      ['id_rsa', 'id_ecdsa', 'id_ed25519'].map((name) => join(home, '.ssh', name)),
    );
    assert.equal(config.identityFilesGiven, false);
    assert.equal(config.strictHostKeyChecking, 'ask');
    assert.deepEqual(config.unsupported, []);
    assert.equal(config.connectTimeoutMs, undefined);
  });

  test('needs the name of who runs it only where something asks for it', async () => {
    const nameless = { localUser: '' };
    const text = 'Match localuser me\n Port 1\nMatch user me\n Port 2\nHost alpha\n User own\n';
    const config = await resolve(text, nameless);
    assert.deepEqual([config.user, config.port], ['own', 22]);
    assert.equal((await resolve('', { ...nameless, user: 'given' })).user, 'given');
    await fails(resolve('', nameless), 'USAGE', /log in to alpha: no user name was given/);
    const named = resolve('IdentityFile ~/%u\n', { ...nameless, user: 'given' });
    await fails(named, 'USAGE', /IdentityFile ~\/%u: %u: no user name/);
  });

  test('takes the command line before the options, the own file and the system file', async () => {
    await put('.ssh/config', 'Host alpha\n  User own\n  Port 1001\n  HashKnownHosts yes\n');
    const systemConfigFile = await put('system', 'User system\nCompression yes\nHashKnownHosts no\n');
    const request = { host: 'alpha', home, localUser: 'me', systemConfigFile };
    const config = await resolveSshConfig({ ...request, options: ['User=typed', 'port 1002'] });
    assert.deepEqual(
      [config.user, config.port, config.hashKnownHosts, config.compression],
      ['typed', 1002, true, true],
    );
    const typed = await resolveSshConfig({ ...request, user: 'first', port: 9, options: ['User=typed', 'port 1002'] });
    assert.deepEqual([typed.user, typed.port], ['typed', 1002]);
    const named = await resolveSshConfig({ ...request, user: 'first', port: 9 });
    assert.deepEqual([named.user, named.port], ['first', 9]);
    await rm(join(home, '.ssh', 'config'));
  });

  test('expands tokens, variables and the home directory', async () => {
    const text = [
      'HostName %h.example',
      'User you',
      'Port 2200',
      'IdentityFile ~/keys/%r@%h:%p-%n-%u-%%',
      `IdentityFile $\{WHERE}/%C`,
      'IdentityFile %d/%k/%L',
      'UserKnownHostsFile ~/known/%h second',
      'IdentityAgent $AGENT',
    ].join('\n');
    const config = await resolve(text, { environment: { WHERE: '/%h', AGENT: '/run/agent' } });
    const hash = createHash('sha1').update(`${hostname()}alpha.example2200you`).digest('hex');
    assert.deepEqual(config.identityFiles, [
      `${home}/keys/you@alpha.example:2200-alpha-me-%`,
      `/%h/${hash}`,
      `${home}/alpha/${hostname().split('.')[0]}`,
    ]);
    assert.deepEqual(config.userKnownHostsFiles, [`${home}/known/alpha.example`, 'second']);
    assert.equal(config.identityAgent, '/run/agent');
    await fails(resolve('IdentityFile %z'), 'USAGE', /unknown token %z/);
    await fails(resolve(`IdentityFile $\{XFER_NOT_SET}/x`, { environment: {} }), 'USAGE', /no value/);
    await fails(resolve('IdentityFile ~stranger/x'), 'USAGE', /stranger/);
  });

  test('keeps a path that is not UTF-8', async () => {
    const configFile = await put('latin', Buffer.from('IdentityFile /k\xe9y\n', 'latin1'));
    const config = await resolveSshConfig({ host: 'alpha', configFile, home, localUser: 'me' });
    assert.deepEqual(config.identityFiles, ['/k\udce9y']);
  });

  test('names file and line of what is not right', async () => {
    for (const line of [
      'Port 0',
      'Port 65536',
      'Port 2x',
      'StrictHostKeyChecking maybe',
      'BatchMode perhaps',
      'ConnectTimeout soon',
      `ConnectTimeout ${'1'.repeat(60)}x`,
      'User',
      'User a b',
      'User "a',
      'UserKnownHostsFile none other',
      'Host ""',
      'Match all host a',
      'Match nonsense a',
      'Match host',
      'Port 22\0',
    ]) {
      await fails(resolve(`# first\n${line}\n`), 'USAGE', /config-\d+:2: /);
    }
    await fails(resolve('Host other\n  Nonsense yes'), 'USAGE', /:2: Bad configuration option: Nonsense/);
    await fails(resolve('', { options: ['Nonsense=yes'] }), 'USAGE', /command line: Bad configuration option/);
    assert.equal((await resolve('IgnoreUnknown non*,use*\nNonsense yes\nPort 7')).port, 7);
  });

  test('refuses names that start an option or hold a quote', async () => {
    await fails(resolve('', { host: '-oProxyCommand=x' }), 'USAGE', /not a host name/);
    await fails(resolve('HostName "a;b"'), 'USAGE', /not a host name/);
    await fails(resolve('User "-x"'), 'USAGE', /not a user name/);
  });

  test('follows includes, in order of names, with a bound', async () => {
    await put('.ssh/b.part', 'User b\nPort 5\n');
    await put('.ssh/a.part', 'User a\n');
    await put('.ssh/.hidden.part', 'Port 6\n');
    const config = await resolve('Include *.part missing ~/.ssh/[!a].part\nPort 9');
    assert.deepEqual([config.user, config.port], ['a', 5]);
    assert.equal((await resolve('Host other\n Include b.part\n')).port, 22);
    assert.equal((await resolve('Host alpha\n Include b.part\nHost other\n User x')).port, 5);
    await put('.ssh/loop', 'Include loop loop loop\n');
    await fails(resolve('Include loop'), 'USAGE', /recursive/);
  });

  test('refuses files that are missing, too large, directories or open to others', async () => {
    const request = { host: 'alpha', home, localUser: 'me' };
    await fails(resolveSshConfig({ ...request, configFile: join(home, 'nowhere') }), 'NOT_FOUND', /nowhere/);
    await fails(resolveSshConfig({ ...request, configFile: home }), 'USAGE', /directory/);
    await fails(resolve('#'.repeat(1024 * 1024 + 1)), 'USAGE', /larger/);
    if (process.platform === 'win32') return;
    await put('.ssh/config', 'User other\n');
    await chmod(join(home, '.ssh', 'config'), 0o666);
    await fails(resolveSshConfig(request), 'DENIED', /permissions/);
    await rm(join(home, '.ssh', 'config'));
  });

  test('lists what was asked for and is not done, with its place', async () => {
    const config = await resolve(
      'Host other\nCertificateFile x\nHost *\nCertificateFile ~/c1\nCertificateFile ~/c2\nPKCS11Provider none\n' +
        'Match version 9 host nowhere\nUser a\nMatch version 9\nUser b\nMatch all\nUser c\n' +
        'SecurityKeyProvider /lib/sk.so\nKexAlgorithms sntrup761x25519-sha512@openssh.com\n' +
        'PreferredAuthentications gssapi-with-mic,hostbased\nProxyCommand nc %h %p\nProxyUseFdpass yes',
    );
    assert.equal(config.user, 'c');
    assert.deepEqual(
      config.unsupported.map((line) => line.replace(/\(.*:/, '(:')),
      [
        'CertificateFile ~/c1 (:4)',
        'CertificateFile ~/c2 (:5)',
        'Match version (:9)',
        'SecurityKeyProvider /lib/sk.so (:13)',
        'KexAlgorithms sntrup761x25519-sha512@openssh.com (:14)',
        'PreferredAuthentications gssapi-with-mic,hostbased (:15)',
        'ProxyUseFdpass yes (:17)',
      ],
    );
  });

  test('takes what is not done here where something else is left', async () => {
    const config = await resolve(
      'GSSAPIAuthentication yes\nHostbasedAuthentication yes\nUpdateHostKeys yes\nProxyUseFdpass yes\n' +
        'KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256\nMACs umac-64@openssh.com,hmac-sha2-256\n' +
        'PreferredAuthentications gssapi-with-mic,password,hostbased,publickey\nHostKeyAlgorithms +ssh-rsa',
    );
    assert.deepEqual(config.unsupported, []);
    assert.deepEqual(config.authenticationMethods, ['password', 'publickey']);
  });

  test('orders the ways to log in, without those that are turned off', async () => {
    assert.deepEqual((await resolve('')).authenticationMethods, ['publickey', 'keyboard-interactive', 'password']);
    const some = await resolve('PasswordAuthentication no\nPreferredAuthentications password,keyboard-interactive');
    assert.deepEqual(some.authenticationMethods, ['keyboard-interactive']);
  });

  test('says how the host key is checked', async () => {
    const usual = await resolve('RevokedHostKeys none\nKnownHostsCommand none');
    assert.deepEqual([usual.checkHostIp, usual.noHostAuthenticationForLocalhost], [false, false]);
    assert.deepEqual([usual.revokedHostKeysFile, usual.knownHostsCommand], [undefined, undefined]);
    const set = await resolve(
      'CheckHostIP yes\nNoHostAuthenticationForLocalhost yes\nRevokedHostKeys ~/revoked\nKnownHostsCommand /bin/k "a b" %H #x',
    );
    assert.deepEqual([set.checkHostIp, set.noHostAuthenticationForLocalhost], [true, true]);
    assert.equal(set.revokedHostKeysFile, `${home}/revoked`);
    assert.deepEqual(set.knownHostsCommand?.words, ['/bin/k', 'a b', '%H', '#x']);
  });

  test('takes the first of ProxyJump and ProxyCommand, and expands what a command may hold', async () => {
    const jump = await resolve('ProxyJump you@bastion:2022,inner\nProxyCommand nc %h %p');
    assert.deepEqual([jump.proxyJump, jump.proxyCommand], ['you@bastion:2022,inner', undefined]);
    const none = await resolve('ProxyCommand none\nProxyJump bastion');
    assert.deepEqual([none.proxyJump, none.proxyCommand, none.unsupported], [undefined, undefined, []]);
    assert.equal((await resolve('ProxyJump none # c\nProxyCommand nc')).proxyCommand, 'nc');
    assert.equal((await resolve('ProxyCommand = nc "a b" # c')).proxyCommand, 'nc "a b" # c');
    const text =
      'HostName %h.example\nUser you\nPort 2200\nHostKeyAlias Nick\nProxyCommand nc %h %n %k %p %r %% ~ $HOME';
    assert.equal((await resolve(text)).proxyCommand, 'nc alpha.example alpha nick 2200 you % ~ $HOME');
    await fails(resolve('ProxyCommand nc %u'), 'USAGE', /unknown token %u/);
  });

  test('says where connections start, which agent is forwarded and how often it is tried', async () => {
    const usual = await resolve('');
    assert.deepEqual(
      [usual.forwardAgent, usual.forwardAgentPath, usual.tcpKeepAlive, usual.connectionAttempts, usual.bindAddress],
      [false, undefined, true, 1, undefined],
    );
    const text = 'BindAddress 127.0.0.2\nBindInterface lo\nTCPKeepAlive no\nConnectionAttempts 3\nForwardAgent ';
    const set = await resolve(`${text}~/agent.%h`);
    assert.deepEqual([set.bindAddress, set.bindInterface], ['127.0.0.2', 'lo']);
    assert.deepEqual([set.tcpKeepAlive, set.connectionAttempts], [false, 3]);
    assert.deepEqual([set.forwardAgent, set.forwardAgentPath], [true, `${home}/agent.alpha`]);
    const named = await resolve(`${text}$AGENT`, { environment: { AGENT: '/run/agent' } });
    assert.deepEqual([named.forwardAgent, named.forwardAgentPath], [true, '/run/agent']);
    const unset = await resolve(`${text}$AGENT`, { environment: {} });
    assert.deepEqual([unset.forwardAgent, unset.forwardAgentPath], [true, undefined]);
    const yes = await resolve(`${text}Yes`);
    assert.deepEqual([yes.forwardAgent, yes.forwardAgentPath], [true, undefined]);
  });

  test('reads paths as Windows writes them, and knows no other homes there', async () => {
    const platform = 'win32';
    await mkdir(join(home, '.ssh', 'sub'));
    await put('.ssh/sub/one.conf', 'Port 7\n');
    const environment = { ProgramData: 'D:\\Data', AGENT: '\\\\.\\pipe\\agent' };
    const config = await resolve('Include sub\\*.conf\nIdentityAgent $AGENT', { platform, environment });
    assert.equal(config.port, 7);
    assert.equal(config.identityAgent, '\\\\.\\pipe\\agent');
    assert.deepEqual(config.globalKnownHostsFiles, ['D:/Data/ssh/ssh_known_hosts', 'D:/Data/ssh/ssh_known_hosts2']);
    await fails(resolve('IdentityFile ~root/x', { platform }), 'USAGE', /home directory of root is not known/);
  });

  test('does not slow down on a pattern made to', async () => {
    const started = performance.now();
    await resolve(`Host ${'*a'.repeat(2000)}b\nUser x`, { host: 'a'.repeat(200) });
    await resolve(`ConnectTimeout ${'1'.repeat(5000)}!`).catch(() => {});
    assert.ok(performance.now() - started < 2000);
  });
});
