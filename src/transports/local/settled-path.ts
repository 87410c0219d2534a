/**
 * The path of a directory, for as long as it has surely led to nothing else. By its path what is in a directory is looked
 * at in half the time that it takes by the descriptor of it.
 */
import { type BigIntStats, lstatSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { identityOf } from './attributes.js';
import { type FsPath, fsPath } from './root.js';

/**
 * Linux, statfs(2): file systems of this machine, whose times of change are its own clock's and nobody's to set: ext4, xfs,
 * btrfs, tmpfs, overlayfs, f2fs, zfs. What a server or another program says of its files is not so sure.
 */
const OWN_CLOCK: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0xf2f52010, 0x2fc12fc1,
]);

/** A second change within the resolution of these times could not be seen; that of none of them is as coarse. */
const SETTLED_AFTER_MS = 2000;

interface Step {
  readonly place: FsPath;
  readonly stats: BigIntStats;
}

export class SettledPath {
  readonly place: string;
  /** The directories from the root down to that in which the last one has its name. */
  readonly #steps: readonly Step[];

  private constructor(place: string, steps: readonly Step[]) {
    this.place = place;
    this.#steps = steps;
  }

  /**
   * The real path `place` below the real path `root`, where it leads to the directory of `identity`, and nothing has got
   * or lost its name in the directories above it lately. Undefined where that cannot be told.
   */
  static find(root: string, place: string, identity: string, nowMs: number = Date.now()): SettledPath | undefined {
    if (process.platform !== 'linux' || !OWN_CLOCK.has(statfsSync(fsPath(root)).type)) return undefined;
    const steps: Step[] = [];
    for (let at = dirname(place); ; at = dirname(at)) {
      const above = fsPath(at);
      steps.unshift({ place: above, stats: lstatSync(above, { bigint: true }) });
      if (at === root) break;
      if (at === '/') return undefined;
    }
    const last = lstatSync(fsPath(place), { bigint: true });
    const settled = steps.every(
      ({ stats }) =>
        stats.isDirectory() && stats.dev === last.dev && nowMs - Number(stats.ctimeNs / 1_000_000n) >= SETTLED_AFTER_MS,
    );
    return settled && identityOf(last) === identity ? new SettledPath(place, steps) : undefined;
  }

  /**
   * Whether all that was looked at by the path since it was found was in that directory: whoever takes a directory out of
   * its place, even for a moment, changes the one above it, and the time of that change cannot be put back.
   */
  isStill(): boolean {
    try {
      return this.#steps.every(({ place, stats: { dev, ino, ctimeNs } }) => {
        const now = lstatSync(place, { bigint: true });
        return now.dev === dev && now.ino === ino && now.ctimeNs === ctimeNs;
      });
    } catch {
      return false;
    }
  }
}
