/** Ordinary command lines, run by OpenSSH's scp and by `xfer scp` on the same files: the same is there afterwards. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needs } from '../support/peers.js';
import { runProgram, runXfer } from '../support/run-xfer.js';
import { type Sshd, startSshd } from '../support/sshd.js';
import { differences } from '../support/trees.js';

/** Words of each command line; `FAR` is the other machine's directory, and the current directory is this one's. */
const LINES = [
  // Files and where they go.
  'f h:FAR',
  'f h:FAR/',
  'f h:FAR/new',
  'f h:FAR/F',
  'f h:FAR/D',
  'f h:FAR/none/f',
  'f h:FAR/none/',
  'none h:FAR',
  'd h:FAR',
  'h:FAR/F .',
  'h:FAR/F new',
  'h:FAR/F d',
  'h:FAR/F none/new',
  'h:FAR/F none/',
  'h:FAR/none .',
  'h:FAR/D .',
  './a:b h:FAR',
  'empty h:FAR',
  'link h:FAR',
  'h:FAR/LINK .',
  'f h:FAR/LINK',
  'deep/../h h:FAR',
  'h:FAR/DEEP/../H .',
  'f h:FAR/DEEP/../new',
  'h:FAR/F deep/../new',
  'h:FAR/F deep/..',
  'h:FAR/F none/../new',
  // Several.
  'f g h:FAR',
  'f g h:FAR/new',
  'f g h:FAR/F',
  'f d h:FAR/new',
  'f f g h:FAR',
  'h:FAR/F h:FAR/F .',
  '-r d d h:FAR',
  'h:FAR/F h:FAR/G .',
  'h:FAR/F h:FAR/G new',
  'h:FAR/F h:FAR/G f',
  'h:FAR/F g d',
  // Trees.
  '-r d h:FAR',
  '-r d h:FAR/new',
  '-r d/ h:FAR/new',
  '-r d h:FAR/none/new',
  '-r d h:FAR/F',
  '-r d f h:FAR/new',
  '-r d/. h:FAR/new',
  '-r d/. h:FAR/D',
  '-r h:FAR/D .',
  '-r h:FAR/D new',
  '-r h:FAR/D/ new',
  '-r h:FAR/D none/new',
  '-r h:FAR/D f',
  '-r h:FAR/D new/',
  '-r h:FAR/F new/',
  '-r f h:FAR/new/',
  'h:FAR/? new/',
  '-r h:FAR/D/. new',
  '-rp d h:FAR/new',
  '-rp h:FAR/D new',
  '-p f h:FAR/new',
  '-p h:FAR/F new',
  '-r dlink h:FAR/new',
  '-pO f h:FAR/new',
  '-pO h:FAR/F new',
  '-rpO d h:FAR/new',
  '-rpO h:FAR/D new',
  '-Or d h:FAR',
  '-O h:FAR/? d',
  // Patterns.
  'h:FAR/? d',
  'h:FAR/? new',
  'h:FAR/? f',
  '-r h:FAR/* new',
  '-r h:FAR/D/* d',
  'h:FAR/[FG] .',
  'h:FAR/[1] .',
  'h:FAR/x[1]y new',
  'h:FAR/none* .',
  'h:FAR/*/K d',
  'h:FAR/D/.H* .',
  'h:FAR/{F,G} .',
  'x[1]y h:FAR',
  // Options together and apart.
  '-qr d h:FAR/new',
  '-rq -p -C d h:FAR/new',
  '-o Compression=no -oServerAliveInterval=5 f h:FAR',
  '-2 -4 -B -T f h:FAR',
  '-l 800000 -X buffer=16K -Xnrequests=4 f h:FAR/new',
  '-- f h:FAR',
  '-s f h:FAR',
  // Between two hosts, and on one.
  '-3 h:FAR/F h:FAR/new',
  'h:FAR/F h:FAR/D',
  '-r h:FAR/D h:FAR/new',
  'h:FAR/F h:FAR/G h:FAR/new',
  'h:FAR/F h:FAR/G h:FAR/D',
  'h:FAR/? h:FAR/D',
  'f new',
  'f g d',
  'f g new',
  '-r d new',
  '-r d/. new',
  'd new',
  'f new/',
  '-r d new/',
  '-r f new/',
  // Wrong.
  'f',
  '-1 f h:FAR',
  '-P 0 f h:FAR',
  '-l 0 f h:FAR',
  '-X none f h:FAR',
  '-Z f h:FAR',
  'scp://h:x/f .',
];

/** Where scp 9.2 does less than it should, the line whose outcome by scp is the right one for ours. */
const BETTER: readonly (readonly [ours: string, scps: string])[] = [
  // What a later scp does: `..` is as `.`, never the parent of the target.
  ['-r d/sub/.. h:FAR/D', '-r d/. h:FAR/D'],
  ['-r h:FAR/D/SUB/.. d', '-r h:FAR/D/. d'],
  ['-3r h:FAR/D/SUB/.. h:FAR/E', '-3r h:FAR/D/. h:FAR/E'],
  ['-r d/sub/.. new', '-r d/. new'],
  ['-r deep/.. h:FAR/new', '-r d/. h:FAR/new'],
  ['-r h:FAR/DEEP/.. new', '-r h:FAR/D/. new'],
  // A directory named with a slash at its end may be missing, as with cp.
  ['-r d h:FAR/new/', '-r d h:FAR/new'],
  // One that cannot be read does not keep the others from arriving.
  ['f none g h:FAR/D', 'f d g h:FAR/D'],
];

interface Ground {
  readonly near: string;
  readonly far: string;
}

/** The same files each time, whose names say on which side they are. */
function makeGround(root: string): Ground {
  const [near, far] = [join(root, 'near'), join(root, 'far')];
  for (const folder of [near, far]) {
    const cased = (name: string) => (folder === far ? name.toUpperCase() : name);
    const at = (name: string) => join(folder, cased(name));
    for (const name of ['d', 'd/sub', 'e']) mkdirSync(at(name), { recursive: true });
    for (const name of ['f', 'g', 'a:b', 'd/h', 'd/.hid', 'd/sub/k'])
      writeFileSync(at(name), `${cased(name)}\n`.repeat(99));
    for (const name of ['[1]', 'x[1]y', 'empty']) writeFileSync(join(folder, name), name === 'empty' ? '' : name);
    chmodSync(at('g'), 0o600);
    chmodSync(at('d/h'), 0o755);
    symlinkSync(cased('f'), at('link'));
    symlinkSync(cased('d'), at('dlink'));
    symlinkSync(cased('d/sub'), at('deep'));
    for (const name of ['link', 'dlink', 'deep']) lutimesSync(at(name), 1_500_000_000, 1_400_000_000);
    const dated = ['f', 'g', 'a:b', 'd/h', 'd/.hid', 'd/sub/k', 'd/sub', 'd', 'e'].map(at);
    for (const path of [...dated, ...['[1]', 'x[1]y', 'empty'].map((name) => join(folder, name))]) {
      utimesSync(path, 1_500_000_000, 1_400_000_000);
    }
  }
  return { near, far };
}

/** When the copied files were last read, to the second. */
function readTimes({ near, far }: Ground): number[] {
  const tops = [near, far].map((side) => join(side, 'new'));
  const paths = tops.flatMap((top) => [top, ...['h', 'H'].map((name) => join(top, name))]);
  const files = paths.filter((path) => existsSync(path)).map((path) => statSync(path));
  return files.filter((stats) => stats.isFile()).map(({ atimeMs }) => Math.floor(atimeMs / 1000));
}

const program = { ...needs('sshd', 'ssh-keygen', 'scp'), timeout: 120_000 };

describe('the same command line by scp and by xfer scp', { ...program, concurrency: 4 }, () => {
  let sshd: Sshd;
  let root: string;
  before(async () => {
    if (program.skip !== undefined) return;
    sshd = await startSshd();
    root = mkdtempSync(join(tmpdir(), 'xfer-beside-'));
  });
  after(async () => {
    if (program.skip !== undefined) return;
    rmSync(root, { recursive: true, force: true });
    await sshd.stop();
  });

  async function run(name: string, line: string, by: 'scp' | 'xfer'): Promise<Ground & { ok: boolean; said: string }> {
    const ground = makeGround(join(root, name, by));
    const words = ['-F', sshd.configFile, ...line.split(' ').map((word) => word.replace('FAR', ground.far))];
    const started =
      by === 'scp' ? runProgram('scp', words, { cwd: ground.near }) : runXfer(['scp', ...words], { cwd: ground.near });
    const { exitCode, stderr } = await started;
    return { ...ground, ok: exitCode === 0, said: stderr };
  }

  for (const [index, pair] of [...LINES.map((line) => [line, line] as const), ...BETTER].entries()) {
    const [ours, scps] = pair;
    test(ours, program, async () => {
      const [xfer, scp] = await Promise.all([run(`${index}`, ours, 'xfer'), run(`${index}`, scps, 'scp')]);
      const said = `scp: ${scp.said}\nxfer: ${xfer.said}`;
      assert.equal(xfer.ok, scp.ok, said);
      // scp gives a directory that it makes for several files the mode of the first of them.
      const modes = !/^f . h:FAR\/new$/.test(ours);
      const times = /^-r?p/.test(ours);
      if (times) assert.deepEqual(readTimes(xfer), readTimes(scp), said);
      for (const side of ['near', 'far'] as const) {
        const found = differences(scp[side], xfer[side], { modes, times });
        assert.deepEqual(
          found.filter((line) => !line.startsWith(`${scp[side]}: time`)),
          [],
          said,
        );
      }
    });
  }
});
