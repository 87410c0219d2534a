/** Made-up configurations, read here and by ssh -G. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { XferError } from '#xfer/errors.js';
import { chosenAlgorithms } from '#xfer/transports/ssh/carriers/algorithms.js';
import { resolveSshConfig, type SshConfig } from '#xfer/transports/ssh/config/config.js';
import { needs } from '../../../support/peers.js';
import { Dice, pickSeed } from '../../../support/random.js';
import { type MadeConfig, makeConfig } from './made-up-config.js';

const ENVIRONMENT = { PATH: process.env.PATH, HOME: userInfo().homedir, XFER_AGENT: '/run/%h', SHELL: '/bin/sh' };

type Said = ReadonlyMap<string, readonly string[]>;

async function askSsh({ host, user, port, configFile, options }: MadeConfig): Promise<Said | string> {
  const flags = options.flatMap((option) => ['-o', option]);
  if (user !== undefined) flags.push('-l', user);
  if (port !== undefined) flags.push('-p', String(port));
  try {
    const { stdout } = await promisify(execFile)('ssh', ['-G', '-F', configFile, ...flags, '--', host], {
      timeout: 30_000,
      env: ENVIRONMENT,
    });
    const said = new Map<string, string[]>();
    for (const line of stdout.split('\n')) {
      const [keyword, ...rest] = line.split(' ');
      said.set(keyword as string, [...(said.get(keyword as string) ?? []), rest.join(' ')]);
    }
    return said;
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: unknown };
    assert.equal(code, 255, String(error));
    return String(stderr);
  }
}

const MEANS: Record<string, string> = { true: 'yes', false: 'no', unbound: 'yes', 'host-bound': 'yes' };

const FLAGS: Record<string, (config: SshConfig) => boolean> = {
  batchmode: (config) => config.batchMode,
  checkhostip: (config) => config.checkHostIp,
  compression: (config) => config.compression,
  hashknownhosts: (config) => config.hashKnownHosts,
  identitiesonly: (config) => config.identitiesOnly,
  kbdinteractiveauthentication: (config) => config.kbdInteractiveAuthentication,
  nohostauthenticationforlocalhost: (config) => config.noHostAuthenticationForLocalhost,
  passwordauthentication: (config) => config.passwordAuthentication,
  pubkeyauthentication: (config) => config.pubkeyAuthentication,
  tcpkeepalive: (config) => config.tcpKeepAlive,
};

/** Each is 1 or more where the other side is at least that. */
const TEXTS: Record<string, (config: SshConfig) => string | undefined> = {
  addressfamily: (config) => config.addressFamily,
  bindaddress: (config) => config.bindAddress,
  bindinterface: (config) => config.bindInterface,
  hostkeyalias: (config) => config.hostKeyAlias,
  hostname: (config) => config.hostName,
  numberofpasswordprompts: (config) => String(config.numberOfPasswordPrompts),
  port: (config) => String(config.port),
  preferredauthentications: (config) => config.preferredAuthentications,
  serveralivecountmax: (config) => String(config.serverAliveCountMax),
  serveraliveinterval: (config) => String(config.serverAliveIntervalMs / 1000),
  user: (config) => config.user,
};

const LISTS = {
  ciphers: ['Ciphers', 'ciphers'],
  hostkeyalgorithms: ['HostKeyAlgorithms', 'hostKeyAlgorithms'],
  kexalgorithms: ['KexAlgorithms', 'kexAlgorithms'],
  macs: ['MACs', 'macs'],
} as const;

/** What ssh -G says, in the words of `ours`. */
function theirs(said: Said, made: MadeConfig): Record<string, unknown> {
  const one = (keyword: string) => said.get(keyword)?.[0];
  const set = (keyword: string) => (one(keyword) === 'none' ? undefined : one(keyword));
  const { homedir, username, uid } = userInfo();
  const tilde = (path: string) => path.replace(/^~(?=\/)/, homedir).replace(/^~daemon\/+/, '/usr/sbin/');
  const tokens: Record<string, string | undefined> = {
    '%': '%',
    d: homedir,
    h: one('hostname'),
    i: String(uid),
    l: hostname(),
    n: made.host,
    p: one('port'),
    r: one('user'),
    u: username,
  };
  const expand = (text: string) => text.replace(/%(.)/g, (_, letter: string) => String(tokens[letter]));
  const means = (value: string | undefined) => MEANS[value ?? ''] ?? value;
  const agent = (value: string | undefined) => (value === '$XFER_AGENT' ? ENVIRONMENT.XFER_AGENT : value);
  const forwarded = one('forwardagent');
  return {
    ...Object.fromEntries(Object.keys(FLAGS).map((keyword) => [keyword, means(one(keyword))])),
    ...Object.fromEntries(Object.keys(TEXTS).map((keyword) => [keyword, one(keyword)])),
    attempts: String(Math.max(1, Number(one('connectionattempts')))),
    forwardagent: /^(yes|no)$/.test(forwarded ?? '') ? forwarded : agent(forwarded),
    global: (set('globalknownhostsfile') ?? '').split(' ').map(tilde).join(' '),
    // Debian's ssh looks every 300 s with BatchMode where nothing was said.
    ...(one('batchmode') === 'yes' && one('serveraliveinterval') === '300' ? { serveraliveinterval: '0' } : {}),
    identities: said
      .get('identityfile')
      ?.filter((file) => file !== 'none')
      .map((file) => expand(tilde(file))),
    identityagent: agent(one('identityagent')),
    known: set('userknownhostsfile') ?? '',
    knownhostscommand: set('knownhostscommand'),
    proxycommand: set('proxycommand') && expand(one('proxycommand') as string),
    proxyjump: set('proxyjump')?.replace(/^ssh:\/\//, ''),
    revoked: set('revokedhostkeys') && tilde(one('revokedhostkeys') as string),
    strict: means(one('stricthostkeychecking')),
    timeout: one('connecttimeout') === '0' ? undefined : set('connecttimeout'),
  };
}

function ours(config: SshConfig): Record<string, unknown> {
  // ssh -G shows a path also where an earlier line says no.
  const forwarded = config.forwardAgentPath ?? (config.forwardAgent ? 'yes' : 'no');
  const timeout = config.connectTimeoutMs;
  return {
    ...Object.fromEntries(Object.entries(FLAGS).map(([keyword, get]) => [keyword, get(config) ? 'yes' : 'no'])),
    ...Object.fromEntries(Object.entries(TEXTS).map(([keyword, get]) => [keyword, get(config)])),
    attempts: String(config.connectionAttempts),
    forwardagent: forwarded,
    global: config.globalKnownHostsFiles.join(' '),
    identities: config.identityFiles,
    identityagent: config.identityAgent,
    known: config.userKnownHostsFiles.join(' '),
    knownhostscommand: config.knownHostsCommand?.written,
    proxycommand: config.proxyCommand,
    proxyjump: config.proxyJump?.replace(/^ssh:\/\//, ''),
    revoked: config.revokedHostKeysFile,
    strict: config.strictHostKeyChecking,
    timeout: timeout === undefined ? undefined : String(timeout / 1000),
  };
}

/** Algorithms that were asked for: the same names, and in the same order where the whole list was given. */
function compareLists(config: SshConfig, said: Said, hint: string): void {
  for (const [keyword, [name, property]] of Object.entries(LISTS)) {
    const setting = config[property];
    if (setting === undefined) continue;
    const mine = chosenAlgorithms(name, setting);
    const known = [...new Set([...chosenAlgorithms(name, '*'), ...mine])];
    const other = (said.get(keyword)?.[0] ?? '').split(',').filter((algorithm) => known.includes(algorithm));
    const sort = (list: string[]) => (/^[+-]/.test(setting) ? list.sort() : list);
    if (setting.startsWith('^')) assert.equal(mine[0], other[0], `${hint}: ${keyword} ${setting}`);
    else assert.deepEqual(sort(mine), sort([...new Set(other)]), `${hint}: ${keyword} ${setting}`);
  }
}

/** Whether both read it; a difference is a failure. */
async function compare(made: MadeConfig, hint: string): Promise<boolean> {
  const home = userInfo().homedir;
  const asked = askSsh(made);
  let config: SshConfig | undefined;
  let refused: unknown;
  try {
    config = await resolveSshConfig({ ...made, home, environment: ENVIRONMENT });
  } catch (error) {
    assert.ok(error instanceof XferError, `${hint}: ${error}`);
    assert.ok(['USAGE', 'UNREACHABLE'].includes(error.code), `${hint}: ${error}`);
    refused = error.message;
  }
  const said = await asked;
  // A user name with a space is refused here and passed on by ssh, which is for the shell's sake.
  if (/not a (user|host) name/.test(String(refused))) return false;
  if (config === undefined && typeof said === 'string') return false;
  assert.ok(config !== undefined && typeof said !== 'string', `${hint}: we say ${refused}, ssh says ${said}`);
  const expected = theirs(said, made);
  const actual = ours(config);
  if (!config.identityFilesGiven) expected.identities = actual.identities;
  assert.deepEqual(actual, expected, hint);
  compareLists(config, said, hint);
  return true;
}

const ROUNDS = Number(process.env.XFER_ROUNDS ?? 1000);
const AT_ONCE = 4;

/** One configuration, in a folder of its own; what differs is shown whole. */
async function round(seed: number, folder: string, show: (text: string) => void): Promise<boolean> {
  await mkdir(folder);
  const made = await makeConfig(new Dice(seed), folder);
  try {
    return await compare(
      made,
      `XFER_SEED=${seed} XFER_ROUNDS=1: ${made.user ?? ''}@${made.host} ${made.options.join(' ')}`,
    );
  } catch (error) {
    for (const name of await readdir(folder)) show(`--- ${name}\n${await readFile(join(folder, name), 'utf8')}`);
    throw error;
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('agrees with ssh -G on made-up configurations', { ...needs('ssh'), timeout: ROUNDS * 100 }, async (t) => {
  const seed = pickSeed();
  t.diagnostic(`XFER_SEED=${seed}`);
  const folder = await mkdtemp(join(tmpdir(), 'xfer-ssh-g-'));
  let agreed = 0;
  let next = 0;
  const work = async () => {
    while (next < ROUNDS) {
      const at = next++;
      try {
        if (await round(seed + at, join(folder, String(at)), (text) => t.diagnostic(text))) agreed++;
      } catch (error) {
        next = ROUNDS;
        throw error;
      }
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  await rm(folder, { recursive: true, force: true });
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
  t.diagnostic(`${agreed} of ${ROUNDS} were taken by both`);
  assert.ok(agreed >= ROUNDS / 3, `only ${agreed} of ${ROUNDS} configurations were right`);
});
