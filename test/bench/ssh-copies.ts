/** One load up to and down from an sshd, by each program in turn. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { XFER } from '../support/run-xfer.js';
import { differences } from '../support/trees.js';
import type { Ground, Load } from './ground.js';
import type { Contestant, Row } from './measure.js';
import type { SshServer } from './ssh-server.js';
import { mostFilesForScp } from './time-limit.js';

const FASTEST_CIPHER = 'aes128-gcm@openssh.com';

interface Program {
  readonly label: string;
  readonly program: string;
  readonly args: readonly string[];
  /** What it wants after the name of a directory, so that what is in it is copied and not the directory into the target. */
  readonly treeEnd?: string;
}

export interface CopyRowOptions {
  /** rsync takes part too. */
  readonly rsync: boolean;
}

function scpPrograms(ground: Ground, server: SshServer, load: Load): Program[] {
  const scp = ground.peer('scp');
  if (scp === undefined || load.files > mostFilesForScp(server.line)) return [];
  const args = ['-q', '-F', server.configFile];
  if (load.tree) return [{ label: 'scp -r', program: scp, args: [...args, '-r'] }];
  return [
    { label: 'scp', program: scp, args },
    { label: `scp -c ${FASTEST_CIPHER}`, program: scp, args: [...args, '-c', FASTEST_CIPHER] },
  ];
}

function programs(ground: Ground, server: SshServer, load: Load, options: CopyRowOptions): Program[] {
  const { configFile } = server;
  const recursive = load.tree ? ['-r'] : [];
  const own = [XFER, 'scp', '-q', '-F', configFile, ...recursive];
  const found: Program[] = [
    { label: ['xfer scp', ...recursive].join(' '), program: process.execPath, args: own },
    ...scpPrograms(ground, server, load),
  ];
  const rsync = options.rsync ? ground.peer('rsync') : undefined;
  if (rsync === undefined) return found;
  const kind = load.tree ? '-a' : '-W';
  const args = [kind, '-e', `ssh -F ${configFile}`];
  return [...found, { label: `rsync ${kind}`, program: rsync, args, treeEnd: '/' }];
}

/** The load up, and down. */
export function copyRows(ground: Ground, server: SshServer, load: Load, options: CopyRowOptions): Row[] {
  const arrived = join(ground.folder, 'ssh-out');
  const far = (path: string) => `${server.host}:${path}`;
  const ways = [
    { word: 'up', from: load.path, to: far(arrived) },
    { word: 'down', from: far(load.path), to: arrived },
  ];
  const most = mostFilesForScp(server.line);
  const note = `scp is left out above ${most} files: it does one after the other.`;
  return ways.map(({ word, from, to }) => ({
    title: server.title(`${load.title} ${word}`),
    bytes: load.bytes,
    files: load.files,
    line: server.line,
    note: load.files > most ? note : undefined,
    contestants: programs(ground, server, load, options).map(({ label, program, args, treeEnd }): Contestant => {
      const end = load.tree ? (treeEnd ?? '') : '';
      return {
        label,
        prepare: () => rmSync(arrived, { recursive: true, force: true }),
        run: (meter) => meter.run(program, [...args, from + end, to + end]),
        check: () => ground.mustBeSame(label, differences(load.path, arrived)),
      };
    }),
  }));
}
