/** Settings as they were written -> the configuration: paths and commands expanded, and what was not set. */
import { hostname } from 'node:os';
import { posix } from 'node:path';
import { checkUserAndHost } from '../../../location.js';
import { chosenAlgorithms } from '../carriers/algorithms.js';
import type { AuthenticationMethod, KnownHostsCommand, SshConfig, StrictHostKeyChecking } from './config.js';
import type { HomeFolders } from './home-folders.js';
import type { ConfigReader } from './parse.js';
import type { Surroundings } from './shell-command.js';
import { clientTokens, namelessUser, Paths, type Tokens } from './tokens.js';
import { ConfigValues, withoutNone } from './typed.js';
import { splitWords } from './words.js';

export interface BuildRequest extends Surroundings {
  /** As it was typed. */
  readonly host: string;
  /** What to connect to, in its final form. */
  readonly hostName: string;
  /** `-i`, before those of the files. */
  readonly identityFiles: readonly string[];
  readonly homes: HomeFolders;
}

const LEAST_RSA_BITS = 1024;
const USUAL_IDENTITIES = ['id_rsa', 'id_ecdsa', 'id_ed25519'];

/** USAGE where a name is not safe, or a token or variable stands for nothing. */
export function buildConfig(reader: ConfigReader, request: BuildRequest): SshConfig {
  const values = new ConfigValues(reader);
  const { host, hostName, homes } = request;
  const user = values.text('user') ?? homes.localUser;
  if (user === '') throw namelessUser(`log in to ${host}`);
  checkUserAndHost(user, hostName);
  const port = values.count('port', 22);
  const hostKeyAlias = values.text('hostkeyalias')?.toLowerCase();
  const proxyJump = values.unlessNone('proxyjump');
  const names = { host, hostName, port, user, hostKeyAlias, proxyJump };
  const tokens = clientTokens({ ...names, ...homes, localHost: hostname() });
  const paths = new Paths(homes, tokens, request.environment);
  return {
    host,
    hostName,
    user,
    port,
    ...identitySettings(values, [...request.identityFiles, ...reader.identityFiles], paths),
    ...hostKeySettings(values, paths, systemFolder(request)),
    ...loginSettings(values),
    ...reachSettings(values, paths),
    batchMode: values.flag('batchmode', false),
    compression: values.flag('compression', false),
    serverAliveIntervalMs: values.timeMs('serveraliveinterval'),
    serverAliveCountMax: values.count('serveralivecountmax', 3),
    ...optional({ hostKeyAlias, proxyJump, proxyCommand: paths.proxy(values.text('proxycommand')) }),
    ...optional({ knownHostsCommand: knownHostsCommand(values, tokens, request.environment) }),
    ...optional({ ciphers: values.text('ciphers'), macs: values.text('macs') }),
    ...optional({ kexAlgorithms: values.text('kexalgorithms'), hostKeyAlgorithms: values.text('hostkeyalgorithms') }),
    unsupported: [...reader.unsupported, ...unusable(values)],
  };
}

function identitySettings(values: ConfigValues, given: readonly string[], paths: Paths) {
  const named = given.filter((file) => file.toLowerCase() !== 'none').map((file) => paths.full(file, 'IdentityFile'));
  return {
    identityFiles: given.length === 0 ? USUAL_IDENTITIES.map((name) => paths.inSsh(name)) : [...new Set(named)],
    identityFilesGiven: given.length > 0,
    identitiesOnly: values.flag('identitiesonly', false),
    ...optional({ identityAgent: paths.agent(values.text('identityagent')) }),
  };
}

function hostKeySettings(values: ConfigValues, paths: Paths, folder: string) {
  const own = values.texts('userknownhostsfile') ?? ['~/.ssh/known_hosts', '~/.ssh/known_hosts2'];
  const global = values.texts('globalknownhostsfile') ?? [`${folder}/ssh_known_hosts`, `${folder}/ssh_known_hosts2`];
  const revoked = values.unlessNone('revokedhostkeys');
  return {
    userKnownHostsFiles: withoutNone(own).map((file) => paths.full(file, 'UserKnownHostsFile')),
    globalKnownHostsFiles: withoutNone(global).map((file) => paths.tilde(file)),
    strictHostKeyChecking: (values.text('stricthostkeychecking') ?? 'ask') as StrictHostKeyChecking,
    hashKnownHosts: values.flag('hashknownhosts', false),
    checkHostIp: values.flag('checkhostip', false),
    noHostAuthenticationForLocalhost: values.flag('nohostauthenticationforlocalhost', false),
    requiredRsaBits: values.count('requiredrsasize', LEAST_RSA_BITS),
    ...optional({ revokedHostKeysFile: revoked === undefined ? undefined : paths.tilde(revoked) }),
  };
}

function knownHostsCommand(
  values: ConfigValues,
  tokens: Tokens,
  environment: NodeJS.ProcessEnv,
): KnownHostsCommand | undefined {
  const written = values.unlessNone('knownhostscommand');
  if (written === undefined) return undefined;
  const words = splitWords(written, { file: 'KnownHostsCommand', line: 0 }, false);
  return { written, words, tokens, environment };
}

/** How the host is reached. */
function reachSettings(values: ConfigValues, paths: Paths) {
  const path = paths.agent(values.text('forwardagentpath'));
  return {
    addressFamily: (values.text('addressfamily') ?? 'any') as SshConfig['addressFamily'],
    forwardAgent: values.flag('forwardagent', false),
    tcpKeepAlive: values.flag('tcpkeepalive', true),
    connectionAttempts: Math.max(values.count('connectionattempts', 1), 1),
    ...optional({ connectTimeoutMs: values.timeMs('connecttimeout') || undefined }),
    ...optional({ forwardAgentPath: path === 'none' ? undefined : path }),
    ...optional({ bindAddress: values.text('bindaddress'), bindInterface: values.text('bindinterface') }),
  };
}

const USUAL_METHODS = 'publickey,keyboard-interactive,password';

function loginSettings(values: ConfigValues) {
  const enabled: Record<AuthenticationMethod, boolean> = {
    publickey: values.flag('pubkeyauthentication', true),
    'keyboard-interactive': values.flag('kbdinteractiveauthentication', true),
    password: values.flag('passwordauthentication', true),
  };
  const wanted = (values.text('preferredauthentications') ?? USUAL_METHODS).split(',');
  const methods = wanted.filter((name): name is AuthenticationMethod => Object.hasOwn(enabled, name));
  return {
    passwordAuthentication: enabled.password,
    kbdInteractiveAuthentication: enabled['keyboard-interactive'],
    pubkeyAuthentication: enabled.publickey,
    authenticationMethods: [...new Set(methods)].filter((name) => enabled[name]),
    numberOfPasswordPrompts: values.count('numberofpasswordprompts', 3),
    ...optional({ preferredAuthentications: values.text('preferredauthentications') }),
  };
}

const ALGORITHM_LISTS = ['Ciphers', 'MACs', 'KexAlgorithms', 'HostKeyAlgorithms'] as const;

/** What is asked for in a way that leaves nothing that can be done here. */
function unusable(values: ConfigValues): string[] {
  const lists = ALGORITHM_LISTS.filter(
    (keyword) => chosenAlgorithms(keyword, values.text(keyword.toLowerCase())).length === 0,
  ).map((keyword) => keyword.toLowerCase());
  const methods = values.text('preferredauthentications')?.split(',');
  const known = USUAL_METHODS.split(',');
  return [
    ...lists,
    ...(methods === undefined || methods.some((name) => known.includes(name)) ? [] : ['preferredauthentications']),
    ...(values.flag('proxyusefdpass', false) && values.unlessNone('proxycommand') ? ['proxyusefdpass'] : []),
    ...(values.text('proxycommand') === '-' ? ['proxycommand'] : []),
  ].map((keyword) => values.written(keyword));
}

/** Where the system's configuration is. */
export function systemFolder({ environment, platform }: Surroundings): string {
  if (platform !== 'win32') return '/etc/ssh';
  return posix.join((environment.ProgramData ?? 'C:/ProgramData').replaceAll('\\', '/'), 'ssh');
}

/** The properties that have a value. */
function optional<T extends Record<string, unknown>>(properties: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept = Object.entries(properties).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
