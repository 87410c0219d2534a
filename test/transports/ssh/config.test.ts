import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { XferError } from '#xfer/errors.js';
import { resolveSshConfig, type SshConfig, type SshConfigRequest } from '#xfer/transports/ssh/config.js';
import { needs } from '../../support/peers.js';

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
    assert.deepEqual([typed.user, typed.port], ['first', 9]);
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
    await import('node:fs/promises').then(({ chmod }) => chmod(join(home, '.ssh', 'config'), 0o666));
    await fails(resolveSshConfig(request), 'DENIED', /permissions/);
    await rm(join(home, '.ssh', 'config'));
  });

  test('lists what was asked for and is not done', async () => {
    const config = await resolve(
      'ProxyJump bastion\nProxyCommand nc %h %p\nHost other\nCertificateFile x\nHost *\nRevokedHostKeys /r\n' +
        'PKCS11Provider none\nMatch exec "true" host nowhere\nUser a\nMatch exec "true"\nUser b\nMatch all\nUser c',
    );
    assert.equal(config.proxyJump, 'bastion');
    assert.equal(config.proxyCommand, undefined);
    assert.equal(config.user, 'c');
    const places = config.unsupported.map((line) => line.replace(/\(.*:/, '(:'));
    assert.deepEqual(places, ['ProxyJump bastion (:1)', 'RevokedHostKeys /r (:6)', 'Match exec (:10)']);
    const none = await resolve('ProxyCommand none\nProxyJump bastion');
    assert.deepEqual([none.proxyJump, none.proxyCommand, none.unsupported], [undefined, undefined, []]);
    assert.equal((await resolve('ProxyCommand = nc "a b" # c')).proxyCommand, 'nc "a b" # c');
  });

  test('does not slow down on a pattern made to', async () => {
    const started = performance.now();
    await resolve(`Host ${'*a'.repeat(2000)}b\nUser x`, { host: 'a'.repeat(200) });
    await resolve(`ConnectTimeout ${'1'.repeat(5000)}!`).catch(() => {});
    assert.ok(performance.now() - started < 2000);
  });
});

/** Numbers that a seed repeats (mulberry32). */
class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
}

const HOSTS = ['alpha', 'beta.example', '10.0.0.1', 'Gamma', 'al', '::1'];
const PATTERNS = [
  '*',
  'alpha',
  'b*',
  '!alpha',
  '?lpha',
  '*.example',
  '10.*',
  'gamma',
  'Gamma',
  '*a',
  'al?*',
  '!*.example',
];
const LISTS = [
  'alpha,b*',
  '*,!alpha',
  '!gamma,*',
  'ALPHA',
  '*.example',
  'me',
  'deep.alpha',
  'root,you',
  '?????',
  'gamma',
];
const FLAGS = ['yes', 'no', 'Yes', 'true', 'FALSE', 'maybe'];
const VALUES: Record<string, readonly string[]> = {
  HostName: ['deep.%h', 'Other', '%h', '10.0.0.2', '%%h', '%z'],
  Port: ['1', '22', '2222', '022', '0', '70000', '"23"', 'x'],
  User: ['you', "'me'", 'a\\ b', 'root', '""', 'a b'],
  IdentityFile: ['~/k1', '/k2', '"/k 3"', 'none', '/k2', 'k\\"q', "'/k'\\ 4", '/a\\b'],
  UserKnownHostsFile: ['~/kh1', '/kh2 ~/kh3', 'none', '"/k h/%h" /%r.%p', '/%n/%k', 'none /x', '/a # c', '/a#c'],
  GlobalKnownHostsFile: ['/g1', '/g2 /g3', 'none', '/%h'],
  StrictHostKeyChecking: ['yes', 'no', 'ask', 'accept-new', 'off', 'Accept-New', 'true', 'maybe'],
  HashKnownHosts: FLAGS,
  IdentitiesOnly: FLAGS,
  BatchMode: FLAGS,
  Compression: FLAGS,
  PasswordAuthentication: FLAGS,
  KbdInteractiveAuthentication: FLAGS,
  ChallengeResponseAuthentication: FLAGS,
  PubkeyAuthentication: [...FLAGS, 'unbound', 'host-bound'],
  ConnectTimeout: ['10', '1m30s', 'none', '0', '1h', '90S', '2x', '1d1', '""'],
  ServerAliveInterval: ['15', '1m', '0'],
  ServerAliveCountMax: ['1', '7', '-1', 'x'],
  NumberOfPasswordPrompts: ['1', '5', '1.5'],
  AddressFamily: ['any', 'inet', 'INET6', 'ipx'],
  HostKeyAlias: ['Alias', 'other.alias'],
  IdentityAgent: ['none', '~/agent', '/run/%h/%r', '%d/%u/%i'],
  Ciphers: ['aes128-ctr,aes256-ctr', 'aes256-gcm@openssh.com'],
  MACs: ['hmac-sha2-256'],
  KexAlgorithms: ['curve25519-sha256'],
  HostKeyAlgorithms: ['ssh-ed25519,ssh-rsa'],
  PreferredAuthentications: ['publickey,password'],
  ProxyJump: ['bastion', 'none'],
  LogLevel: ['DEBUG', 'INFO'],
  SendEnv: ['LANG LC_*'],
  Nonsense: ['x'],
};

function makeLine(dice: Dice, folder: string): string {
  const kind = dice.below(20);
  if (kind < 4)
    return `Host ${Array.from({ length: 1 + dice.below(3) }, () => dice.of(PATTERNS)).join(dice.of([' ', '\t']))}`;
  if (kind < 6) return `Match ${makeCriteria(dice)}`;
  if (kind === 6) return dice.of(['# a comment', '', '   ', `Include ${folder}/part-?.conf ${folder}/missing`, '\t#x']);
  const keyword = dice.of(Object.keys(VALUES));
  const choices = VALUES[keyword] as readonly string[];
  // Wrong values come last in most lists; few of them, so that most files are right.
  const value =
    dice.below(12) === 0 ? dice.of(choices) : (choices[dice.below(Math.max(1, choices.length - 2))] as string);
  const written = dice.of([keyword, keyword.toLowerCase(), keyword.toUpperCase()]);
  if (keyword === 'Nonsense' && dice.below(10) > 0) return '';
  return `${dice.of(['', '  ', '\t'])}${written}${dice.of([' ', '=', ' = ', '\t', '  '])}${value}${dice.of(['', ' ', ' # c'])}`;
}

function makeCriteria(dice: Dice): string {
  if (dice.below(4) === 0) return 'all';
  const names = ['host', 'originalhost', 'user', 'localuser', '!host', '!user', 'Host', '!originalhost'];
  return Array.from({ length: 1 + dice.below(2) }, () => `${dice.of(names)} ${dice.of(LISTS)}`).join(' ');
}

interface Case {
  readonly host: string;
  readonly configFile: string;
  readonly options: readonly string[];
}

async function askSsh({ host, configFile, options }: Case): Promise<Map<string, string[]> | string> {
  try {
    const flags = options.flatMap((option) => ['-o', option]);
    const { stdout } = await promisify(execFile)('ssh', ['-G', '-F', configFile, ...flags, '--', host], {
      timeout: 10_000,
    });
    const said = new Map<string, string[]>();
    for (const line of stdout.split('\n')) {
      const [keyword, ...rest] = line.split(' ');
      said.set(keyword as string, [...(said.get(keyword as string) ?? []), rest.join(' ')]);
    }
    return said;
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: unknown };
    assert.equal(code, 255);
    return String(stderr);
  }
}

const MEANS: Record<string, string> = {
  yes: 'yes',
  true: 'yes',
  no: 'no',
  false: 'no',
  unbound: 'yes',
  'host-bound': 'yes',
};

/** What ssh -G says, in the words of `ours`. */
function theirs(said: Map<string, string[]>, full: string) {
  const one = (keyword: string) => said.get(keyword)?.[0];
  const flag = (keyword: string) => MEANS[one(keyword) as string];
  const tilde = (path: string) => path.replace(/^~(?=\/)/, full);
  const files = (keyword: string) => (one(keyword) === 'none' ? '' : one(keyword)?.split(' ').map(tilde).join(' '));
  const jump = one('proxyjump');
  return {
    user: one('user'),
    hostname: one('hostname'),
    port: one('port'),
    batchmode: flag('batchmode'),
    compression: flag('compression'),
    hashknownhosts: flag('hashknownhosts'),
    identitiesonly: flag('identitiesonly'),
    kbdinteractive: flag('kbdinteractiveauthentication'),
    password: flag('passwordauthentication'),
    pubkey: flag('pubkeyauthentication'),
    strict: MEANS[one('stricthostkeychecking') as string] ?? one('stricthostkeychecking'),
    prompts: one('numberofpasswordprompts'),
    alivecount: one('serveralivecountmax'),
    timeout: one('connecttimeout') === '0' ? 'none' : one('connecttimeout'),
    family: one('addressfamily'),
    alias: one('hostkeyalias'),
    agent: one('identityagent'),
    own: files('userknownhostsfile'),
    global: files('globalknownhostsfile'),
    identities: said
      .get('identityfile')
      ?.filter((file) => file !== 'none')
      .map(tilde)
      .join('\n'),
    jump: jump === 'none' ? undefined : jump,
  };
}

function ours(config: SshConfig) {
  const flag = (value: boolean) => (value ? 'yes' : 'no');
  return {
    user: config.user,
    hostname: config.hostName,
    port: String(config.port),
    batchmode: flag(config.batchMode),
    compression: flag(config.compression),
    hashknownhosts: flag(config.hashKnownHosts),
    identitiesonly: flag(config.identitiesOnly),
    kbdinteractive: flag(config.kbdInteractiveAuthentication),
    password: flag(config.passwordAuthentication),
    pubkey: flag(config.pubkeyAuthentication),
    strict: config.strictHostKeyChecking as string,
    prompts: String(config.numberOfPasswordPrompts),
    alivecount: String(config.serverAliveCountMax),
    timeout: config.connectTimeoutMs === undefined ? 'none' : String(config.connectTimeoutMs / 1000),
    family: config.addressFamily as string,
    alias: config.hostKeyAlias,
    agent: config.identityAgent,
    own: config.userKnownHostsFiles.join(' '),
    global: config.globalKnownHostsFiles.join(' '),
    identities: config.identityFiles.join('\n'),
    jump: config.proxyJump,
  };
}

async function compare(made: Case, full: string, hint: string): Promise<boolean> {
  const said = await askSsh(made);
  let config: SshConfig | undefined;
  let refused: unknown;
  try {
    config = await resolveSshConfig({ ...made, home: full });
  } catch (error) {
    assert.ok(error instanceof XferError && error.code === 'USAGE', `${hint}: ${error}`);
    refused = error.message;
  }
  // A user name with a space is refused here and passed on by ssh, which is for the shell's sake.
  if (/not a (user|host) name/.test(String(refused))) return false;
  const refusedByBoth = config === undefined && typeof said === 'string';
  if (refusedByBoth) return false;
  assert.ok(config !== undefined && typeof said !== 'string', `${hint}: we say ${refused}, ssh says ${said}`);
  const expected = theirs(said, full);
  const actual = ours(config);
  if (!config.identityFilesGiven) expected.identities = actual.identities;
  assert.deepEqual(actual, expected, hint);
  return true;
}

test('agrees with ssh -G on made-up configurations', { ...needs('ssh'), timeout: 60_000 }, async (t) => {
  const seed = Number(process.env.XFER_SEED ?? Math.floor(Math.random() * 2 ** 31));
  t.diagnostic(`XFER_SEED=${seed}`);
  const dice = new Dice(seed);
  const folder = await mkdtemp(join(tmpdir(), 'xfer-ssh-g-'));
  try {
    let agreed = 0;
    for (let round = 0; round < 200; round++) {
      const lines = () => Array.from({ length: 1 + dice.below(14) }, () => makeLine(dice, folder));
      const configFile = join(folder, 'config');
      await writeFile(configFile, lines().join(dice.of(['\n', '\n', '\r\n'])), { mode: 0o600 });
      const part = lines().filter((line) => !line.includes('Include'));
      await writeFile(join(folder, 'part-1.conf'), part.join('\n'), { mode: 0o600 });
      const options =
        dice.below(3) === 0 ? [makeLine(dice, folder)].filter((line) => /^\s*(port|user)/i.test(line)) : [];
      const made = { host: dice.of(HOSTS), configFile, options };
      if (await compare(made, userInfo().homedir, `XFER_SEED=${seed} round ${round} host ${made.host}`)) agreed++;
    }
    t.diagnostic(`${agreed} of 200 were taken by both`);
    assert.ok(agreed >= 60, `only ${agreed} configurations were right`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
