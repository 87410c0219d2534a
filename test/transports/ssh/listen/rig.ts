/** A listener in this process over a temporary directory, and bare clients of it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import ssh2, { type Client, type ClientChannel, type ConnectConfig } from 'ssh2';
import { SftpClient } from '#xfer/transports/ssh/sftp/client.js';
import { ACCOUNT, type ServedSftp, type ServeOptions, serveSftp } from '../../../support/sftp-listener.js';

export { until } from '../../../support/until.js';

export const scope = { signal: new AbortController().signal };

export interface Place extends ServedSftp {
  /** What is shared; `secret` is beside it. */
  readonly root: string;
  readonly above: string;
}

export async function place(t: TestContext, options: ServeOptions = {}): Promise<Place> {
  const above = mkdtempSync(join(tmpdir(), 'xfer-listen-'));
  const root = join(above, 'root');
  mkdirSync(root);
  writeFileSync(join(above, 'secret'), 'outside');
  const served = await serveSftp(root, options);
  t.after(async () => {
    await served.stop();
    rmSync(above, { recursive: true, force: true });
  });
  return { ...served, root, above };
}

/** Rejects with ssh2's error where the login fails. */
export function connect(t: TestContext, served: ServedSftp, config: ConnectConfig = {}): Promise<Client> {
  const client = new ssh2.Client();
  t.after(() => client.destroy());
  return new Promise((resolve, reject) => {
    client.on('ready', () => resolve(client));
    client.on('error', reject);
    client.on('close', () => reject(new Error('closed')));
    const { host, port } = served;
    const login = { username: ACCOUNT.user, password: ACCOUNT.password };
    client.connect({ host, port, ...login, hostVerifier: () => true, ...config });
  });
}

/** A channel of the sftp subsystem on which nothing was said yet. */
export function openChannel(client: Client): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.subsys('sftp', (error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

export async function openSftp(t: TestContext, served: ServedSftp): Promise<SftpClient> {
  const client = await connect(t, served);
  client.setNoDelay(true);
  return SftpClient.start(await openChannel(client), scope);
}

/** Resolves with all that came before the far side closed the channel. */
export function untilClosed(channel: ClientChannel): Promise<Buffer> {
  const parts: Buffer[] = [];
  channel.on('data', (part: Buffer) => parts.push(part));
  return new Promise((resolve) => channel.on('close', () => resolve(Buffer.concat(parts))));
}
