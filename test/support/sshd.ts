/** A real sshd on a free loopback port, with keys and settings of its own, that is gone after `stop`. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.js';
import { findProgram } from './peers.js';

export interface SshdOptions {
  /** ssh-keygen's `-t`; ed25519 by default. */
  readonly userKeyType?: string;
  /** Locks the user's key. */
  readonly passphrase?: string;
  readonly maxSessions?: number;
  readonly maxStartups?: string;
  /** False: `lines` name the host keys. */
  readonly hostKey?: false;
  /** Further lines of sshd_config, before the others, so that they win. */
  readonly lines?: readonly string[];
  /** Another sftp server, or false for a server that has no sftp. */
  readonly sftp?: string | false;
  /** Arguments of sftp-server, such as `-R`. */
  readonly sftpArguments?: readonly string[];
}

export interface Sshd {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly identityFile: string;
  readonly knownHostsFile: string;
  /** An ssh_config that names all of these: `ssh -F`. */
  readonly configFile: string;
  /** Empty, for what a test copies; removed by `stop`. */
  readonly directory: string;
  /** What sshd logged so far. */
  log(): string;
  stop(): Promise<void>;
}

const SFTP_SERVERS = [
  '/usr/lib/openssh/sftp-server',
  '/usr/libexec/openssh/sftp-server',
  '/usr/lib/ssh/sftp-server',
  '/usr/libexec/sftp-server',
];
/** Where the system keeps OpenSSH's own, to be started by itself. */
export const SFTP_SERVER = SFTP_SERVERS.find((file) => existsSync(file)) ?? 'sftp-server';
const HOST = '127.0.0.1';
const run = promisify(execFile);

/** Path of OpenSSH's sftp-server; where it is in none of the usual places, the name of sshd's own. */
export function sftpServer(): string {
  return SFTP_SERVERS.find((file) => existsSync(file)) ?? 'internal-sftp';
}

export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'xfer-sshd-')));
  try {
    return await startIn(root, options);
  } catch (error) {
    await rm(root, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(root: string, options: SshdOptions): Promise<Sshd> {
  const program = findProgram('sshd');
  if (!program) throw new Error('sshd is missing (Debian package openssh-server)');
  // Without it sshd refuses to start as root.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const keys = join(root, 'keys');
  const directory = join(root, 'files');
  await mkdir(keys);
  await mkdir(directory);
  const hostKey = join(keys, 'host');
  const identityFile = join(keys, 'user');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', hostKey]);
  const type = options.userKeyType ?? 'ed25519';
  await run('ssh-keygen', ['-q', '-t', type, '-N', options.passphrase ?? '', '-f', identityFile]);
  await writeFile(join(keys, 'authorized_keys'), await readFile(`${identityFile}.pub`));
  const { child, port, log } = await listen(program, root, options);
  const user = userInfo().username;
  const knownHostsFile = join(keys, 'known_hosts');
  const [keyType, key] = (await readFile(`${hostKey}.pub`, 'utf8')).split(' ');
  await writeFile(knownHostsFile, `[${HOST}]:${port} ${keyType} ${key?.trim()}\n`);
  const configFile = join(keys, 'ssh_config');
  await writeFile(configFile, clientConfig({ port, user, identityFile, knownHostsFile }));
  const stop = async () => {
    await end(child);
    await rm(root, { recursive: true, force: true });
  };
  return { host: HOST, port, user, identityFile, knownHostsFile, configFile, directory, log, stop };
}

/** An ssh_config for a server on the loopback address, and for nothing else of the person's. */
export function clientConfig(at: { port: number; user: string; identityFile: string; knownHostsFile: string }): string {
  const lines = [
    'Host *',
    `HostName ${HOST}`,
    `Port ${at.port}`,
    `User ${at.user}`,
    `IdentityFile ${at.identityFile}`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    `UserKnownHostsFile ${at.knownHostsFile}`,
    'GlobalKnownHostsFile none',
    'StrictHostKeyChecking yes',
  ];
  return `${lines.join('\n  ')}\n`;
}

function serverConfig(root: string, port: number, options: SshdOptions): string {
  const lines = [
    ...(options.lines ?? []),
    `ListenAddress ${HOST}`,
    `Port ${port}`,
    ...(options.hostKey === false ? [] : [`HostKey ${join(root, 'keys', 'host')}`]),
    `AuthorizedKeysFile ${join(root, 'keys', 'authorized_keys')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'LogLevel VERBOSE',
    // So that bash leaves the user's start-up files out.
    'SetEnv SHLVL=1',
    `MaxSessions ${options.maxSessions ?? 10}`,
    `MaxStartups ${options.maxStartups ?? '100:30:200'}`,
    ...(options.sftp === false
      ? []
      : [`Subsystem sftp ${[options.sftp ?? sftpServer(), ...(options.sftpArguments ?? [])].join(' ')}`]),
  ];
  return `${lines.join('\n')}\n`;
}

/** Another program may take the free port between the look and the start: then another is tried. */
async function listen(program: string, root: string, options: SshdOptions) {
  const file = join(root, 'sshd_config');
  let said = '';
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = await freePort();
    await writeFile(file, serverConfig(root, port, options));
    const child = spawn(program, ['-D', '-e', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    if (await ready(child, () => log)) return { child, port, log: () => log };
    said = log;
    await end(child);
  }
  throw new Error(`sshd did not start: ${said}`);
}

function ready(child: ChildProcess, log: () => string): Promise<boolean> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve(false));
    child.once('error', () => resolve(false));
    child.stderr?.on('data', () => {
      if (log().includes('Server listening on')) resolve(true);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exited;
}
