/** What ssh_config.5 says about a host: the one place that decides where and how to connect. */
import { homedir, hostname, userInfo } from 'node:os';
import { posix } from 'node:path';
import { checkUserAndHost } from '../../location.js';
import { ConfigReader } from './config-parse.js';
import { clientTokens, expandPercent, Paths } from './config-tokens.js';

export interface SshConfigRequest {
  readonly host: string;
  readonly user?: string | undefined;
  readonly port?: number | undefined;
  /** `-F`: read only this file; `none` reads nothing. */
  readonly configFile?: string | undefined;
  /** `-o`, each `keyword=value` or `keyword value`. */
  readonly options?: readonly string[] | undefined;
  /** `-i` */
  readonly identityFiles?: readonly string[] | undefined;
  /** Stands in for the person's home directory, name, environment and the system's file. */
  readonly home?: string | undefined;
  readonly localUser?: string | undefined;
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly systemConfigFile?: string | undefined;
}

export type StrictHostKeyChecking = 'yes' | 'accept-new' | 'ask' | 'no';

export interface SshConfig {
  /** As it was typed. */
  readonly host: string;
  /** What to connect to, in lower case. */
  readonly hostName: string;
  readonly user: string;
  readonly port: number;
  /** Paths, in order of use; the usual ones where none was given, whether they exist or not. */
  readonly identityFiles: readonly string[];
  /** False where `identityFiles` are the usual ones: a missing one is then no fault. */
  readonly identityFilesGiven: boolean;
  readonly identitiesOnly: boolean;
  /** Path of the agent's socket, or `none`; absent: what SSH_AUTH_SOCK says. */
  readonly identityAgent?: string;
  /** Empty where `none` was given. A new key goes into the first. */
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly strictHostKeyChecking: StrictHostKeyChecking;
  readonly hashKnownHosts: boolean;
  /** Name to look up in known_hosts instead of host and port. */
  readonly hostKeyAlias?: string;
  /** Absent: as long as the system waits. */
  readonly connectTimeoutMs?: number;
  readonly batchMode: boolean;
  readonly passwordAuthentication: boolean;
  readonly kbdInteractiveAuthentication: boolean;
  readonly pubkeyAuthentication: boolean;
  readonly preferredAuthentications?: string;
  readonly numberOfPasswordPrompts: number;
  readonly compression: boolean;
  readonly addressFamily: 'any' | 'inet' | 'inet6';
  /** 0: none are sent. */
  readonly serverAliveIntervalMs: number;
  readonly serverAliveCountMax: number;
  /** Algorithm lists as written, `+`, `-` and `^` in front included. */
  readonly ciphers?: string;
  readonly macs?: string;
  readonly kexAlgorithms?: string;
  readonly hostKeyAlgorithms?: string;
  /** Hops as written, such as `me@bastion:22,inner`; absent for `none`. At most one of this and `proxyCommand` is there. */
  readonly proxyJump?: string;
  /** For the person's shell, tokens expanded; absent for `none`. */
  readonly proxyCommand?: string;
  /** Where connections start: an address of this machine, or the name of an interface of it. */
  readonly bindAddress?: string;
  readonly bindInterface?: string;
  readonly forwardAgent: boolean;
  /** The socket of the agent to forward; absent: the agent that logs in. */
  readonly forwardAgentPath?: string;
  /** Whether the system looks for a dead line by itself. */
  readonly tcpKeepAlive: boolean;
  /** Tries to connect, a second apart. */
  readonly connectionAttempts: number;
  /** What was asked for and is not done, as `ProxyJump bastion (path:12)`. */
  readonly unsupported: readonly string[];
}

const USUAL_IDENTITIES = ['id_rsa', 'id_ecdsa', 'id_ed25519'];
const LONGEST_TIMEOUT_MS = 0x7fffffff;

/**
 * Settings for a host: the first value of each keyword wins, from `-o`, then the person's file, then the system's.
 * USAGE where a keyword or a value is not right, naming file and line; DENIED where a file cannot be read or others may
 * write to it; NOT_FOUND where the `-F` file is missing.
 */
export async function resolveSshConfig(request: SshConfigRequest): Promise<SshConfig> {
  checkUserAndHost(request.user, request.host);
  const home = request.home ?? homedir();
  const localUser = request.localUser ?? userInfo().username;
  const reader = new ConfigReader({ host: request.host, user: request.user, localUser, home });
  await reader.applyOptions(request.options ?? []);
  await applyFiles(reader, request, home);
  return buildConfig(reader, request, home, localUser);
}

async function applyFiles(reader: ConfigReader, request: SshConfigRequest, home: string): Promise<void> {
  const folder = posix.join(home, '.ssh');
  const { configFile } = request;
  if (configFile?.toLowerCase() === 'none') return;
  if (configFile !== undefined) {
    // As with ssh -F: who may write to a file that was named is the person's own affair.
    return reader.applyFile(configFile, { folder, own: true, checkOwner: false, required: true });
  }
  await reader.applyFile(posix.join(folder, 'config'), { folder, own: true, checkOwner: true });
  const system = request.systemConfigFile ?? posix.join(systemFolder(), 'ssh_config');
  await reader.applyFile(system, { folder: posix.dirname(system), own: false, checkOwner: false });
}

function systemFolder(): string {
  if (process.platform !== 'win32') return '/etc/ssh';
  return posix.join((process.env.PROGRAMDATA ?? 'C:/ProgramData').replaceAll('\\', '/'), 'ssh');
}

/** Values by keyword, as the types that `SshConfig` has. */
class Values {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  text(keyword: string): string | undefined {
    return this.#values.get(keyword)?.[0];
  }

  texts(keyword: string): readonly string[] | undefined {
    return this.#values.get(keyword);
  }

  flag(keyword: string, usual: boolean): boolean {
    const value = this.text(keyword);
    return value === undefined ? usual : value === 'yes';
  }

  count(keyword: string, usual: number): number {
    const value = this.text(keyword);
    return value === undefined ? usual : Number(value);
  }

  /** 0 for `none` and where nothing was set. */
  timeMs(keyword: string): number {
    const value = this.text(keyword);
    return value === undefined || value === 'none' ? 0 : Math.min(Number(value) * 1000, LONGEST_TIMEOUT_MS);
  }
}

function buildConfig(reader: ConfigReader, request: SshConfigRequest, home: string, localUser: string): SshConfig {
  const values = new Values(reader.values);
  const { host } = request;
  const hostName = expandPercent(values.text('hostname') ?? host, { h: host }, 'HostName').toLowerCase();
  const user = request.user ?? values.text('user') ?? localUser;
  checkUserAndHost(user, hostName);
  const port = request.port ?? values.count('port', 22);
  const hostKeyAlias = values.text('hostkeyalias')?.toLowerCase();
  const proxyJump = unlessNone(values.text('proxyjump'));
  const subject = { host, hostName, port, user, localUser, home, localHost: hostname(), hostKeyAlias, proxyJump };
  const paths = new Paths(home, localUser, clientTokens(subject), request.environment ?? process.env);
  const connectTimeoutMs = values.timeMs('connecttimeout') || undefined;
  return {
    host,
    hostName,
    user,
    port,
    ...identitySettings(values, [...(request.identityFiles ?? []), ...reader.identityFiles], paths),
    ...hostKeySettings(values, paths),
    ...loginSettings(values),
    batchMode: values.flag('batchmode', false),
    compression: values.flag('compression', false),
    addressFamily: (values.text('addressfamily') ?? 'any') as SshConfig['addressFamily'],
    serverAliveIntervalMs: values.timeMs('serveraliveinterval'),
    serverAliveCountMax: values.count('serveralivecountmax', 3),
    ...reachSettings(values, paths),
    ...optional({ hostKeyAlias, connectTimeoutMs, proxyJump, proxyCommand: paths.proxy(values.text('proxycommand')) }),
    ...optional({ ciphers: values.text('ciphers'), macs: values.text('macs') }),
    ...optional({ kexAlgorithms: values.text('kexalgorithms'), hostKeyAlgorithms: values.text('hostkeyalgorithms') }),
    unsupported: reader.unsupported,
  };
}

function identitySettings(values: Values, given: readonly string[], paths: Paths) {
  const named = given.filter((file) => file.toLowerCase() !== 'none').map((file) => paths.full(file, 'IdentityFile'));
  return {
    identityFiles: given.length === 0 ? USUAL_IDENTITIES.map((name) => paths.inSsh(name)) : [...new Set(named)],
    identityFilesGiven: given.length > 0,
    identitiesOnly: values.flag('identitiesonly', false),
    ...optional({ identityAgent: paths.agent(values.text('identityagent')) }),
  };
}

function hostKeySettings(values: Values, paths: Paths) {
  const own = values.texts('userknownhostsfile') ?? ['~/.ssh/known_hosts', '~/.ssh/known_hosts2'];
  const folder = systemFolder();
  const global = values.texts('globalknownhostsfile') ?? [`${folder}/ssh_known_hosts`, `${folder}/ssh_known_hosts2`];
  return {
    userKnownHostsFiles: withoutNone(own).map((file) => paths.full(file, 'UserKnownHostsFile')),
    globalKnownHostsFiles: withoutNone(global).map((file) => paths.tilde(file)),
    strictHostKeyChecking: (values.text('stricthostkeychecking') ?? 'ask') as StrictHostKeyChecking,
    hashKnownHosts: values.flag('hashknownhosts', false),
  };
}

/** How the host is reached. */
function reachSettings(values: Values, paths: Paths) {
  const agent = values.text('forwardagent')?.toLowerCase() ?? 'no';
  const path = /^(?:yes|true|no|false)$/.test(agent) ? undefined : paths.agent(values.text('forwardagent'));
  return {
    forwardAgent: agent !== 'no' && agent !== 'false',
    tcpKeepAlive: values.flag('tcpkeepalive', true),
    connectionAttempts: Math.max(values.count('connectionattempts', 1), 1),
    ...optional({ forwardAgentPath: path === 'none' ? undefined : path }),
    ...optional({ bindAddress: values.text('bindaddress'), bindInterface: values.text('bindinterface') }),
  };
}

function loginSettings(values: Values) {
  return {
    passwordAuthentication: values.flag('passwordauthentication', true),
    kbdInteractiveAuthentication: values.flag('kbdinteractiveauthentication', true),
    pubkeyAuthentication: values.flag('pubkeyauthentication', true),
    numberOfPasswordPrompts: values.count('numberofpasswordprompts', 3),
    ...optional({ preferredAuthentications: values.text('preferredauthentications') }),
  };
}

function unlessNone(value: string | undefined): string | undefined {
  return value?.toLowerCase() === 'none' ? undefined : value;
}

function withoutNone(files: readonly string[]): readonly string[] {
  return files[0]?.toLowerCase() === 'none' ? [] : files;
}

/** The properties that have a value. */
function optional<T extends Record<string, unknown>>(properties: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept = Object.entries(properties).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
