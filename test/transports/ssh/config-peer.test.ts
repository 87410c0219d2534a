/** Made-up configurations, read here and by ssh -G. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { XferError } from '#xfer/errors.js';
import { resolveSshConfig, type SshConfig } from '#xfer/transports/ssh/config.js';
import { needs } from '../../support/peers.js';
import { Dice, pickSeed } from './made-up.js';

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

/** A busy machine makes fewer rounds. */
const MOST_MS = 5000;

test('agrees with ssh -G on made-up configurations', { ...needs('ssh'), timeout: 60_000 }, async (t) => {
  const seed = pickSeed();
  t.diagnostic(`XFER_SEED=${seed}`);
  const dice = new Dice(seed);
  const folder = await mkdtemp(join(tmpdir(), 'xfer-ssh-g-'));
  try {
    let agreed = 0;
    let round = 0;
    const deadline = performance.now() + MOST_MS;
    for (; round < 200 && performance.now() < deadline; round++) {
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
    t.diagnostic(`${agreed} of ${round} were taken by both`);
    assert.ok(agreed > round / 3, `only ${agreed} of ${round} configurations were right`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
