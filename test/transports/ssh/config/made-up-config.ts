/** Made-up ssh configurations: right in most lines, with every way of writing them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dice } from '../../../support/random.js';

export interface MadeConfig {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  readonly configFile: string;
  readonly options: readonly string[];
}

const HOSTS = ['alpha', 'beta.example', '10.0.0.1', 'Gamma', 'al', '::1', '127.1', '0x7f.1', 'a.b.c', '0::1', '1.2.3'];
const PATTERNS =
  '* alpha b* !alpha ?lpha *.example 10.* gamma Gamma *a al?* !*.example deep* !deep* 127.0.0.1 ::1 ?????'.split(' ');
const LISTS =
  'alpha,b* *,!alpha !gamma,* ALPHA *.example me deep.alpha root,you ????? gamma *.*.* 10.*,::1 you "me"'.split(' ');
const QUOTED = ['"alpha"', "'alpha'", 'al"ph"a', '"b*",alpha', '"*,!alpha"', '*"a"', 'alpha"'];
/** Lines that are seldom written so, most of them wrong. */
const ODD = [
  '=Port 7',
  'Port',
  '"Port',
  'Host',
  'Match',
  'Port 5 6',
  'Host ""',
  'Port=',
  'Port = = 5',
  'Host a#b alpha',
  '\\Port 5',
];
const FLAGS = ['yes', 'no', 'Yes', 'true', 'FALSE', 'maybe', 'n'];

/** Keyword -> values; the last two of most are wrong. */
const VALUES: Record<string, readonly string[]> = {
  AddressFamily: ['any', 'inet', 'INET6', 'ipx'],
  BatchMode: FLAGS,
  BindAddress: ['127.0.0.1', '::1', 'a b', '""'],
  BindInterface: ['lo', 'eth0', '""', 'a b'],
  CanonicalDomains: ['none', 'none', 'none', 'none x', 'a..b'],
  CanonicalizeFallbackLocal: FLAGS,
  CanonicalizeHostname: ['yes', 'no', 'always', 'False', 'none', 'maybe'],
  CanonicalizeMaxDots: ['0', '1', '3', '-1', 'x'],
  CanonicalizePermittedCNAMEs: ['none', 'none', 'a', 'none a:b'],
  ChallengeResponseAuthentication: FLAGS,
  CheckHostIP: FLAGS,
  Ciphers: ['aes128-ctr,aes256-ctr', 'aes256-gcm@openssh.com', '+aes128-cbc', '-*-ctr', '^aes256-ctr'],
  Compression: FLAGS,
  ConnectTimeout: ['10', '1m30s', 'none', '0', '1h', '90S', '2x', '1d1', '""'],
  ConnectionAttempts: ['1', '3', '+4', '-2', 'x'],
  ForwardAgent: ['yes', 'no', 'TRUE', '~/agent', '/run/%h', '$XFER_AGENT', '$', '$a-b'],
  GlobalKnownHostsFile: ['/g1', '/g2 /g3', 'none', '/%h', '~/g', '~daemon/g'],
  HashKnownHosts: FLAGS,
  HostKeyAlgorithms: ['ssh-ed25519,rsa-sha2-512', '+ssh-rsa', '-ecdsa-*', '^ssh-ed25519'],
  HostKeyAlias: ['Alias', 'other.alias'],
  IgnoreUnknown: ['non*', 'x?,Nonsense', 'NONSENSE', 'none', '!nonsense,*'],
  HostName: ['deep.%h', 'Other', '%h', '10.0.0.2', '127.2', '%%h', '%z', '%'],
  IdentitiesOnly: FLAGS,
  IdentityAgent: ['none', '~/agent', '/run/%h/%r', '%d/%u/%i', '$XFER_AGENT', '$a-b', '$'],
  IdentityFile: [
    '~/k1',
    '/k2',
    '"/k 3"',
    'none',
    '/k2',
    'k\\"q',
    "'/k'\\ 4",
    '/a\\b',
    '~daemon/%h',
    '/%r.%p/%n',
    '%d/%%',
  ],
  KbdInteractiveAuthentication: FLAGS,
  KeepAlive: FLAGS,
  KexAlgorithms: ['curve25519-sha256', '+diffie-hellman-group14-sha1', '-ecdh-*', '^ecdh-sha2-nistp256'],
  KnownHostsCommand: ['none', '/bin/keys %H "a b" # c', '= /bin/keys', '/bin/keys "a'],
  LogLevel: ['DEBUG', 'INFO'],
  MACs: ['hmac-sha2-256', '+hmac-md5', '-hmac-sha1*', '^hmac-sha2-512'],
  NoHostAuthenticationForLocalhost: FLAGS,
  Nonsense: ['x'],
  NumberOfPasswordPrompts: ['1', '5', '1.5', '-1'],
  PasswordAuthentication: FLAGS,
  Port: ['1', '22', '2222', '022', '+5', '"23"', '0', '70000', 'x'],
  PreferredAuthentications: ['publickey,password', 'password', 'gssapi-with-mic,password'],
  ProxyCommand: ['none', 'nc %h %p', '= nc "%n" %r # c', '"a b" %%', 'nc "a'],
  ProxyJump: ['bastion', 'none', 'you@a:23,b # c', '[::1]:2', 'ssh://u@h:24', 'a,,b', 'h:0'],
  PubkeyAuthentication: [...FLAGS.slice(0, 5), 'unbound', 'host-bound', 'maybe'],
  RevokedHostKeys: ['none', '/revoked', '~/revoked'],
  SendEnv: ['LANG LC_*'],
  ServerAliveCountMax: ['1', '7', '-1', 'x'],
  ServerAliveInterval: ['15', '1m', '0'],
  StrictHostKeyChecking: ['yes', 'no', 'ask', 'accept-new', 'off', 'Accept-New', 'true', 'maybe'],
  TCPKeepAlive: FLAGS,
  User: ['you', "'me'", 'root', 'YOU', 'a\\ b', '""', 'a b'],
  UserKnownHostsFile: [
    ...['~/kh1', '/kh2 ~/kh3', 'none', '"/k h/%h" /%r.%p', '/%n/%k', '/a # c', '/a#c', '# c', '/%C', '~daemon//kh ~'],
    ...[`$\{XFER_AGENT}/%L/%l`, '/%u.%i', 'none /x', '/%z'],
  ],
};
const KEYWORDS = Object.keys(VALUES);

const CRITERIA = 'host originalhost user localuser !host !user Host !originalhost !localuser HOST'.split(' ');
const COMMANDS = [
  'true',
  'false',
  'test %h = alpha',
  'test %n = %h',
  'test %r = you',
  'test %p -gt 22',
  'test %k = %%',
];

function makeCriteria(dice: Dice): string {
  if (dice.below(5) === 0)
    return dice.of(['all', 'final all', 'canonical all', 'final', '!final', 'canonical', 'ALL # c', '!all']);
  const criteria = Array.from({ length: 1 + dice.below(3) }, () => {
    if (dice.below(12) === 0) return `${dice.of(['exec', '!exec'])} "${dice.of(COMMANDS)}"`;
    if (dice.below(10) === 0) return dice.of(['final', '!final', 'canonical']);
    return `${dice.of(CRITERIA)}${dice.of([' ', '=', '  '])}${dice.of(dice.below(8) === 0 ? QUOTED : LISTS)}`;
  });
  if (dice.below(30) === 0) criteria.push(dice.of(['all', 'host', 'nonsense x', '# c']));
  return criteria.join(' ');
}

function makeHosts(dice: Dice): string {
  const patterns = Array.from({ length: 1 + dice.below(3) }, () => dice.of(PATTERNS));
  return patterns.map((pattern) => (dice.below(8) === 0 ? `"${pattern}"` : pattern)).join(dice.of([' ', '\t', '  ']));
}

function makeSetting(dice: Dice): string {
  const keyword = dice.of(KEYWORDS);
  const choices = VALUES[keyword] as readonly string[];
  if (keyword === 'Nonsense' && dice.below(4) > 0) return '';
  const right = choices.length > 3 ? choices.length - 2 : choices.length;
  const value = choices[dice.below(dice.below(16) === 0 ? choices.length : right)] as string;
  const written = dice.of([keyword, keyword, keyword.toLowerCase(), keyword.toUpperCase(), `"${keyword}"`]);
  // After a quoted keyword a `=` is part of the value.
  const between = written.startsWith('"') ? [' ', '\t'] : [' ', '=', ' = ', '\t', '  ', '= '];
  return `${written}${dice.of(between)}${value}`;
}

function makeLine(dice: Dice, includes: readonly string[]): string {
  const kind = dice.below(24);
  const start = dice.of(['', '', '  ', '\t']);
  const end = dice.of(['', '', ' ', '\t', '\f']);
  if (kind < 4) return `${start}Host${dice.of([' ', '=', '\t'])}${makeHosts(dice)}${end}`;
  if (kind < 8) return `${start}Match ${makeCriteria(dice)}${end}`;
  if (kind === 8) return dice.of(['# a comment', '', '   ', '\t#x', '"']);
  if (kind < 11 && includes.length > 0) return `${start}Include ${dice.of(includes)}`;
  if (dice.below(150) === 0) return dice.of(ODD);
  const setting = makeSetting(dice);
  return setting === '' ? '' : start + setting + end;
}

/** Writes the files of one configuration into a folder. */
export async function makeConfig(dice: Dice, folder: string): Promise<MadeConfig> {
  const parts = ['part-1.conf', 'part-2.conf', 'part-3.conf'].map((name) => join(folder, name));
  const configFile = join(folder, 'config');
  const every = [
    join(folder, 'part-?.conf'),
    `${parts[0]} ${folder}/missing`,
    `"${parts[1]}"`,
    join(folder, '[p]art-3*'),
  ];
  const includes = [every, [parts[2] as string], [], []];
  const files = includes.map((names, at) =>
    Array.from({ length: 1 + dice.below(at === 0 ? 16 : 6) }, () => makeLine(dice, names)),
  );
  const options = Array.from({ length: dice.below(4) === 0 ? 2 : 0 }, () => makeSetting(dice)).filter(Boolean);
  // What %C stands for changed in OpenSSH 9.8 where there is a ProxyJump.
  const jumps = [...files.flat(), ...options].some((line) => /proxyjump/i.test(line));
  const settle = (text: string) => (jumps ? text.replaceAll('%C', '%h') : text);
  for (const [at, path] of [configFile, ...parts].entries()) {
    const text = (files[at] as string[]).join(dice.of(['\n', '\n', '\r\n']));
    await writeFile(path, settle(text), { mode: 0o600 });
  }
  const typed = dice.below(5) === 0;
  const asked = typed ? { user: dice.of(['you', 'me']), port: 2200 } : {};
  return { host: dice.of(HOSTS), configFile, options: options.map(settle), ...asked };
}
