/** Our own SFTP listener, in this process or in one of its own, on a free loopback port, with an account and a key, and what a client needs to reach it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import type { Account } from '#xfer/listening/accounts.js';
import { openSink, openSource } from '#xfer/open.js';
import type { Listener } from '#xfer/transport.js';
import type { SshRecord } from '#xfer/transports/ssh/listen/access-log.js';
import { makeHostKey } from '#xfer/transports/ssh/listen/host-key-file.js';
import { listen, type SshListenOptions } from '#xfer/transports/ssh/listen/index.js';
import { type Started, startXfer } from './run-xfer.js';
import { clientConfig } from './sshd.js';

export const ACCOUNT: Account = { user: 'anna', password: 'correct horse' };
const HOST = '127.0.0.1';

export interface ServedSftp {
  readonly listener: Listener;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
  readonly knownHostsFile: string;
  readonly identityFile: string;
  /** An ssh_config that names all of these: `ssh -F`. */
  readonly configFile: string;
  readonly records: SshRecord[];
  stop(): Promise<void>;
}

export interface ServeOptions extends Partial<Omit<SshListenOptions, 'share' | 'receive'>> {
  /** True where absent. */
  readonly upload?: boolean;
}

interface Keys {
  readonly identityFile: string;
  readonly authorizedKeys: string;
}

async function makeKeys(folder: string): Promise<Keys> {
  const { privateKey } = makeHostKey();
  const [identityFile, authorizedKeys] = [join(folder, 'user'), join(folder, 'authorized_keys')];
  await writeFile(identityFile, privateKey, { mode: 0o600 });
  await writeFile(authorizedKeys, `${publicLine(privateKey)}\n`);
  return { identityFile, authorizedKeys };
}

/** The files by which a client knows the listener. */
async function makeClientFiles(folder: string, port: number, hostKey: string, identityFile: string) {
  const [knownHostsFile, configFile] = [join(folder, 'known_hosts'), join(folder, 'ssh_config')];
  await writeFile(knownHostsFile, `[${HOST}]:${port} ${publicLine(hostKey)}\n`);
  const at = { port, user: ACCOUNT.user, identityFile, knownHostsFile };
  await writeFile(configFile, clientConfig(at));
  return { host: HOST, ...at, configFile };
}

/** Serves a directory in this process; both the account and the key may log in. */
export async function serveSftp(root: string, { upload = true, ...options }: ServeOptions = {}): Promise<ServedSftp> {
  const folder = await mkdtemp(join(tmpdir(), 'xfer-sftp-'));
  const { identityFile, authorizedKeys } = await makeKeys(folder);
  const hostKey = makeHostKey();
  const share = await openSource({ scheme: 'file', path: root }, { links: 'keep' });
  const receive = upload ? await openSink({ scheme: 'file', path: root }, { guarded: true }) : undefined;
  const records: SshRecord[] = [];
  const ends = { share, ...(receive ? { receive } : {}) };
  const onRecord = (record: SshRecord) => records.push(record);
  const given = { hosts: [HOST], port: 0, accounts: [ACCOUNT], authorizedKeys, onRecord, ...options, hostKey, ...ends };
  const remove = () => rm(folder, { recursive: true, force: true });
  const listener = await listen(given, { signal: new AbortController().signal }).catch(async (error) => {
    await remove();
    throw error;
  });
  const { port } = listener.address;
  return {
    ...(await makeClientFiles(folder, port, hostKey.privateKey, identityFile)),
    listener,
    fingerprint: hostKey.description.split(' ')[1] ?? '',
    records,
    async stop() {
      await listener.close();
      await remove();
    },
  };
}

export type StartedSftp = Omit<ServedSftp, 'listener' | 'records'> & { readonly xfer: Started };

/** Starts `xfer serve --sftp --upload`, with an account and a key, until it is stopped. */
export async function startSftp(root: string, args: readonly string[] = ['--upload']): Promise<StartedSftp> {
  const folder = await mkdtemp(join(tmpdir(), 'xfer-sftp-'));
  const { identityFile, authorizedKeys } = await makeKeys(folder);
  const accountFile = join(folder, 'accounts');
  await writeFile(accountFile, `${ACCOUNT.user}:${ACCOUNT.password}\n`);
  const who = ['--auth-file', accountFile, '--authorized-keys', authorizedKeys];
  const xfer = startXfer(['serve', '--sftp', ...args, ...who, '-b', HOST, '-p', '0', root], {
    env: { XDG_CONFIG_HOME: folder },
  });
  const [, port] = await xfer.waitForLine(/serving on sftp:\/\/[^:]+:(\d+)\//);
  const [, fingerprint = ''] = await xfer.waitForLine(/host key ED25519 (SHA256:\S+)/);
  const hostKey = await readFile(join(folder, 'xfer', 'ssh_host_ed25519_key'), 'utf8');
  return {
    ...(await makeClientFiles(folder, Number(port), hostKey, identityFile)),
    xfer,
    fingerprint,
    async stop() {
      await xfer.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The public half of a key, as known_hosts and authorized_keys hold it. */
export function publicLine(privateKey: string): string {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  return `${parsed.type} ${parsed.getPublicSSH().toString('base64')}`;
}
