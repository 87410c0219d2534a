/** What ssh_config.5 says about a host: the one place that decides where and how to connect. */
import { posix } from 'node:path';
import { homeDirectory, localUserName } from '../../../local-user.js';
import { checkUserAndHost } from '../../../location.js';
import { buildConfig, systemFolder } from './build.js';
import { type CanonicalRules, canonicalHost, type HostResolver, systemResolver } from './canonical-host.js';
import { readHomeFolders } from './home-folders.js';
import { ConfigReader } from './parse.js';
import type { Surroundings } from './shell-command.js';
import type { Tokens } from './tokens.js';
import { ConfigValues, withoutNone } from './typed.js';

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
  readonly platform?: NodeJS.Platform | undefined;
  /** Stands in for the system's look-up of names. */
  readonly resolver?: HostResolver | undefined;
  /** Ends what `Match exec` started. */
  readonly signal?: AbortSignal | undefined;
}

export type StrictHostKeyChecking = 'yes' | 'accept-new' | 'ask' | 'no';

/** A way to log in, by the server's name for it. */
export type AuthenticationMethod = 'publickey' | 'keyboard-interactive' | 'password';

/** A program that prints lines of known_hosts. */
export interface KnownHostsCommand {
  readonly written: string;
  /** The program and its arguments, tokens and variables not yet expanded. */
  readonly words: readonly string[];
  readonly tokens: Tokens;
  readonly environment: NodeJS.ProcessEnv;
}

export interface SshConfig {
  /** As it was typed. */
  readonly host: string;
  /** What to connect to: in lower case, or an address in its usual spelling. */
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
  /** The address must be known by the same key. */
  readonly checkHostIp: boolean;
  /** On a loopback address every key is taken. */
  readonly noHostAuthenticationForLocalhost: boolean;
  /** Keys that are never taken. */
  readonly revokedHostKeysFile?: string;
  /** Of an RSA host key, at least. */
  readonly requiredRsaBits: number;
  readonly knownHostsCommand?: KnownHostsCommand;
  /** Absent: a minute. */
  readonly connectTimeoutMs?: number;
  readonly batchMode: boolean;
  readonly passwordAuthentication: boolean;
  readonly kbdInteractiveAuthentication: boolean;
  readonly pubkeyAuthentication: boolean;
  /** What may be tried, in this order: PreferredAuthentications without what is turned off or not known here. */
  readonly authenticationMethods: readonly AuthenticationMethod[];
  readonly preferredAuthentications?: string;
  readonly numberOfPasswordPrompts: number;
  readonly compression: boolean;
  readonly addressFamily: 'any' | 'inet' | 'inet6';
  /** 0: not set, and every 15 s. */
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
  /** What was asked for and is not done, as `CertificateFile ~/c (path:12)`. */
  readonly unsupported: readonly string[];
}

/**
 * Settings for a host: the first value of each keyword wins, from `-o`, then the person's file, then the system's; read
 * twice where `Match final` or CanonicalizeHostname ask for it. USAGE where a keyword or a value is not right, naming file
 * and line; DENIED where a file cannot be read or others may write to it; NOT_FOUND where the `-F` file is missing;
 * UNREACHABLE where a name must be found and is not; TIMED_OUT for a command that does not end.
 */
export async function resolveSshConfig(request: SshConfigRequest): Promise<SshConfig> {
  const { host, signal, platform = process.platform, environment = process.env } = request;
  const surroundings = { platform, environment };
  // Before anything is expanded: tokens put them into paths and commands.
  checkUserAndHost(request.user, host);
  const home = request.home ?? homeDirectory();
  const localUser = request.localUser ?? localUserName(environment);
  const homes = { home, localUser, others: await readHomeFolders(platform), platform };
  const reader = new ConfigReader({ host, homes, signal, ...surroundings });
  reader.applyOptions(request.options ?? []);
  // As with scp, where -o comes before user@ and -P.
  if (request.user !== undefined) reader.setUnlessSet('user', request.user);
  if (request.port !== undefined) reader.setUnlessSet('port', String(request.port));
  await applyFiles(reader, request, home, surroundings);
  const rules = canonicalRules(new ConfigValues(reader));
  const hostName = await canonicalHost(reader.hostName(), rules, request.resolver ?? systemResolver());
  if (reader.wantsFinal || rules.canonicalize !== 'no') {
    reader.beginFinal(hostName);
    await applyFiles(reader, request, home, surroundings);
  }
  const identityFiles = request.identityFiles ?? [];
  return buildConfig(reader, { host, hostName, identityFiles, homes, ...surroundings });
}

async function applyFiles(
  reader: ConfigReader,
  { configFile, systemConfigFile }: SshConfigRequest,
  home: string,
  surroundings: Surroundings,
): Promise<void> {
  const folder = posix.join(home, '.ssh');
  if (configFile?.toLowerCase() === 'none') return;
  if (configFile !== undefined) {
    // As with ssh -F: who may write to a file that was named is the person's own affair.
    return reader.applyFile(configFile, { folder, own: true, checkOwner: false, required: true });
  }
  await reader.applyFile(posix.join(folder, 'config'), { folder, own: true, checkOwner: true });
  const system = systemConfigFile ?? posix.join(systemFolder(surroundings), 'ssh_config');
  await reader.applyFile(system, { folder: posix.dirname(system), own: false, checkOwner: false });
}

function canonicalRules(values: ConfigValues): CanonicalRules {
  const aliases = withoutNone(values.texts('canonicalizepermittedcnames') ?? []);
  return {
    canonicalize: (values.text('canonicalizehostname') ?? 'no') as CanonicalRules['canonicalize'],
    domains: withoutNone(values.texts('canonicaldomains') ?? []),
    maxDots: values.count('canonicalizemaxdots', 1),
    fallbackLocal: values.flag('canonicalizefallbacklocal', true),
    permittedCnames: aliases.map((alias) => {
      const at = alias.indexOf(':');
      return { source: alias.slice(0, at), target: alias.slice(at + 1) };
    }),
    family: (values.text('addressfamily') ?? 'any') as CanonicalRules['family'],
    direct: values.unlessNone('proxycommand') === undefined && values.unlessNone('proxyjump') === undefined,
  };
}
