/** An sshd on loopback, behind a long line where one is asked for. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientConfig, startSshd } from '../support/sshd.js';
import { type LineOptions, lineWords, startDelayLine } from './delay-line.js';
import type { Ground } from './ground.js';

export interface SshServer {
  readonly host: string;
  /** An ssh_config that leads to it over its line: scp, ssh, sftp and xfer take it with `-F`. */
  readonly configFile: string;
  readonly line: LineOptions | undefined;
  /** A row's title with the line in it. */
  title(text: string): string;
  /** What sshd logged so far. */
  log(): string;
  stop(): Promise<void>;
}

export async function startSshServer(ground: Ground, options: LineOptions | undefined): Promise<SshServer> {
  const sshd = await startSshd();
  const line = options && (await startDelayLine(sshd.port, options));
  const port = line?.port ?? sshd.port;
  // known_hosts names the port, so the line's end gets its own.
  const knownHostsFile = join(ground.folder, 'known-hosts');
  writeFileSync(knownHostsFile, readFileSync(sshd.knownHostsFile, 'utf8').replaceAll(`]:${sshd.port}`, `]:${port}`));
  const configFile = join(ground.folder, 'ssh-config');
  writeFileSync(configFile, clientConfig({ ...sshd, port, knownHostsFile }));
  return {
    host: sshd.host,
    configFile,
    line: options,
    title: (text) => `ssh: ${text}${options ? `, ${lineWords(options)}` : ''}`,
    log: () => sshd.log(),
    async stop() {
      await line?.close();
      await sshd.stop();
    },
  };
}
