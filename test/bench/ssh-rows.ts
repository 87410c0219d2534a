/** A big file and a tree of small ones over SSH, to and from an sshd on loopback. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { XFER } from '../support/run-xfer.js';
import { type Sshd, startSshd } from '../support/sshd.js';
import { differences } from '../support/trees.js';
import { startDelayLine } from './delay-line.js';
import type { Ground } from './ground.js';
import type { Contestant, Row } from './measure.js';

interface Job {
  readonly from: string;
  readonly to: string;
  readonly sent: string;
  readonly arrived: string;
  readonly tree?: boolean;
}

export interface SshRows {
  readonly rows: readonly Row[];
  stop(): Promise<void>;
}

/** Options that scp, `ssh` under rsync and xfer all take. */
type Options = readonly string[];

function contestants(ground: Ground, options: Options, job: Job): Contestant[] {
  const scp = ground.peer('scp');
  const rsync = ground.peer('rsync');
  const contestant = (label: string, program: string, args: readonly string[]): Contestant => ({
    label,
    prepare() {
      rmSync(job.arrived, { recursive: true, force: true });
    },
    // rsync makes a directory in the target where the source does not end with a slash.
    run: (meter) => {
      const end = job.tree && program === rsync ? '/' : '';
      return meter.run(program, [...args, job.from + end, job.to + end]);
    },
    check: () => ground.mustBeSame(label, differences(job.sent, job.arrived)),
  });
  const recursive = job.tree ? ['-r'] : [];
  const own = [XFER, 'scp', '-q', ...options, ...recursive];
  const found = [contestant(job.tree ? 'xfer scp -r' : 'xfer scp', process.execPath, own)];
  if (scp) found.push(contestant(job.tree ? 'scp -r' : 'scp', scp, ['-q', ...options, ...recursive]));
  const shell = ['ssh', ...options].join(' ');
  if (rsync) found.push(contestant(job.tree ? 'rsync -a' : 'rsync -W', rsync, [job.tree ? '-a' : '-W', '-e', shell]));
  return found;
}

/** Options for `port`, which leads to sshd; known_hosts names the port, so it gets its own. */
function loginOptions(ground: Ground, sshd: Sshd, port: number): Options {
  const knownHosts = join(ground.folder, `known-hosts-${port}`);
  writeFileSync(knownHosts, readFileSync(sshd.knownHostsFile, 'utf8').replaceAll(`]:${sshd.port}`, `]:${port}`));
  const settings = [
    `Port=${port}`,
    `User=${sshd.user}`,
    `IdentityFile=${sshd.identityFile}`,
    `UserKnownHostsFile=${knownHosts}`,
    'GlobalKnownHostsFile=none',
    'StrictHostKeyChecking=yes',
    'IdentitiesOnly=yes',
    'BatchMode=yes',
  ];
  return ['-F', 'none', ...settings.flatMap((setting) => ['-o', setting])];
}

function jobs(ground: Ground) {
  const arrived = join(ground.folder, 'ssh-out');
  const far = (path: string) => `127.0.0.1:${path}`;
  return {
    up: { from: ground.bigFile, to: far(arrived), sent: ground.bigFile, arrived },
    down: { from: far(ground.bigFile), to: arrived, sent: ground.bigFile, arrived },
    tree: { from: ground.tree, to: far(arrived), sent: ground.tree, arrived, tree: true },
  };
}

/** Starts an sshd, and with `rttMs` a long line to it; no rows where there is no sshd. */
export async function startSshRows(ground: Ground, rttMs: number | undefined): Promise<SshRows> {
  if (ground.peer('sshd') === undefined) return { rows: [], stop: async () => {} };
  const sshd = await startSshd();
  const line = rttMs === undefined ? undefined : await startDelayLine(sshd.port, rttMs);
  const near = loginOptions(ground, sshd, sshd.port);
  const { up, down, tree } = jobs(ground);
  const { sizeMiB, files, bytes, treeBytes } = ground;
  const rows: Row[] = [
    { title: `ssh: ${sizeMiB} MiB up`, bytes, contestants: contestants(ground, near, up) },
    { title: `ssh: ${sizeMiB} MiB down`, bytes, contestants: contestants(ground, near, down) },
    { title: `ssh: ${files} files of 2 KiB up`, bytes: treeBytes, contestants: contestants(ground, near, tree) },
  ];
  if (line) {
    const title = `ssh: ${files} files of 2 KiB up, round trip ${rttMs} ms`;
    rows.push({
      title,
      bytes: treeBytes,
      contestants: contestants(ground, loginOptions(ground, sshd, line.port), tree),
    });
  }
  return {
    rows,
    async stop() {
      await line?.close();
      await sshd.stop();
    },
  };
}
