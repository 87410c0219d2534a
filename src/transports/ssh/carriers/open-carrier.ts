import { XferError } from '../../../errors.js';
import { checkUserAndHost, type Location } from '../../../location.js';
import type { Scope } from '../../../transport.js';
import { resolveSshConfig, type SshConfig } from '../config/config.js';
import type { JumpHop } from '../config/proxy-jump.js';
import { secretsOf } from '../login/secrets.js';
import type { SshOptions } from '../ssh-options.js';
import type { Carrier } from './carrier.js';
import { sshArguments } from './program-arguments.js';
import { shareCarrier } from './shared-carriers.js';

/**
 * What a connection is for. All that is opened with the same options object shares one; after a `look` it stays for a
 * moment for who goes on; `more` is one beside it, to carry what it carries too, for which nobody is asked.
 */
export type CarrierUse = 'source' | 'sink' | 'look' | 'more';

/**
 * What carries sessions to a location's host, connected and logged in. USAGE and DENIED for a configuration that is not
 * right, UNREACHABLE, TIMED_OUT, DISCONNECTED, DENIED (key or login), PROTOCOL, UNSUPPORTED.
 */
export async function openCarrier(
  location: Location,
  options: SshOptions,
  scope: Scope,
  use: CarrierUse,
): Promise<Carrier> {
  const { destination, open } = await dialing(location, options, scope, use);
  if (use === 'more') return open();
  const kind = use === 'sink' ? 'sink' : 'source';
  return shareCarrier({ options, destination, open, kind, lingers: use === 'look' }, scope);
}

interface Dialing {
  /** Equal where one connection serves both. */
  readonly destination: string;
  readonly open: () => Promise<Carrier>;
}

async function dialing(location: Location, options: SshOptions, scope: Scope, use: CarrierUse): Promise<Dialing> {
  if (options.sftpServer !== undefined || options.program !== undefined) {
    const { user, host, port } = location;
    return {
      destination: JSON.stringify([user, host, port]),
      open: () => programCarrier(location, options),
    };
  }
  const config = await configFor(location, options, scope);
  const { verbose, configFile } = options;
  const { prompt, onNotice } = use === 'more' ? {} : options;
  const secrets = secretsOf(options);
  // As ssh: of the command line, jump hosts know the configuration file alone.
  const resolveHop = (hop: JumpHop) => resolveSshConfig({ ...hop, configFile, signal: scope.signal });
  const { user, hostName, port, hostKeyAlias, proxyJump, proxyCommand } = config;
  return {
    destination: JSON.stringify([user, hostName, port, hostKeyAlias, proxyJump, proxyCommand]),
    open: async () => {
      const { SshConnection } = await import('./connection.js');
      return SshConnection.open({ config, prompt, onNotice, verbose, secrets, resolveHop, scope });
    },
  };
}

/** Another program's work: it reads the configuration by itself, and starts when a session is opened. */
async function programCarrier(location: Location, options: SshOptions): Promise<Carrier> {
  const { user, host = '', port = options.port } = location;
  checkUserAndHost(user, host);
  const { ProgramCarrier } = await import('./program-carrier.js');
  const { onNotice, sftpServer, program } = options;
  if (sftpServer !== undefined) {
    const account = `sftp-server://${encodeURIComponent(sftpServer)}`;
    // scp.c gives the program of -D what it gives to ssh.
    const sftpArguments = ['--', host, 'sftp'];
    return new ProgramCarrier({ program: sftpServer, sftpArguments, account, loginPerSession: false, onNotice });
  }
  const at = port === undefined ? '' : `:${port}`;
  return new ProgramCarrier({
    program: program as string,
    sftpArguments: sshArguments(location, options, undefined),
    commandArguments: (command) => sshArguments(location, options, command),
    account: `sftp://${user === undefined ? '' : `${user}@`}${host}${at}`,
    loginPerSession: true,
    onNotice,
  });
}

async function configFor(location: Location, options: SshOptions, { signal }: Scope): Promise<SshConfig> {
  const { host, user } = location;
  if (host === undefined) throw new XferError('USAGE', `location ${location.path}: names no host`);
  const config = await resolveSshConfig({
    host,
    user,
    port: location.port ?? options.port,
    configFile: options.configFile,
    // scp forwards the agent only where its own command line says so.
    options: [...(options.options ?? []), 'ForwardAgent=no'],
    identityFiles: options.identityFiles,
    signal,
  });
  return {
    ...config,
    compression: options.compression ?? config.compression,
    forwardAgent: options.forwardAgent || config.forwardAgent,
  };
}
