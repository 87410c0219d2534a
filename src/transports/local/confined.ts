/** What lies below a root, and nothing else, however fast its names are swapped for links and back meanwhile. */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { XferError } from '../../errors.js';
import { lastPart, nameFromBytes, parentPath } from '../../names.js';
import { identityOf } from './attributes.js';
import { childPlace, fsPath, isInside, joinRoot, realPathNow, targetNow } from './root.js';
import { SettledPath } from './settled-path.js';

/** Linux, open(2): a descriptor to look at alone, which takes no right to read and wakes no device. */
const O_PATH = 0o10000000;
const ONLY_LOOK = O_PATH | (constants.O_NOFOLLOW ?? 0);
const ONLY_DIRECTORY = ONLY_LOOK | (constants.O_DIRECTORY ?? 0);

/**
 * UNSAFE_PATH where what is open lies outside `root`. Linux tells where a descriptor leads, whatever its path does by now
 * (proc(5)); elsewhere `path` must lead inside to the same thing, NOT_FOUND where it does not.
 */
export function checkOpened(root: string, path: string, descriptor: number, opened: BigIntStats): void {
  const place = placeOfDescriptor(descriptor);
  if (place === undefined) {
    const there = lstatSync(fsPath(targetNow(root, path)), { bigint: true });
    if (identityOf(there) === identityOf(opened)) return;
    throw new XferError('NOT_FOUND', `open ${path}: it was replaced meanwhile`);
  }
  const realRoot = realPathNow(root);
  if (realRoot !== undefined && isInside(realRoot, place)) return;
  throw new XferError('UNSAFE_PATH', `open ${path}: a link out of ${root}`);
}

/**
 * NOT_FOUND where what is open is not what lies at `place`, a real path: a link was put there, or above it.
 */
export function checkAlone(place: string, descriptor: number, opened: BigIntStats): void {
  const there = placeOfDescriptor(descriptor) ?? realPathNow(place);
  if (there === place && identityOf(lstatSync(fsPath(place), { bigint: true })) === identityOf(opened)) return;
  throw new XferError('NOT_FOUND', `open ${place}: it was replaced by a link`);
}

/** What `path` leads to. NOT_FOUND, UNSAFE_PATH, and the system's own errors. */
export function statBelow(root: string, path: string): BigIntStats {
  const real = fsPath(targetNow(root, path));
  if (process.platform !== 'linux') return statSync(real, { bigint: true });
  const descriptor = openSync(real, ONLY_LOOK);
  try {
    const stats = fstatSync(descriptor, { bigint: true });
    checkOpened(root, path, descriptor, stats);
    return stats;
  } finally {
    closeSync(descriptor);
  }
}

/** What lies at `place`, a real path, itself; undefined where a link was put there, or above it. */
export function statAlone(place: string): BigIntStats | undefined {
  return realPathNow(place) === place ? lstatSync(fsPath(place), { bigint: true }) : undefined;
}

export interface HeldDirectory {
  /** Stands for this very directory until it is closed, where the system can say so; else its path. */
  readonly place: string;
  /** Finds a quicker way to what is in it: what was seen by it counts once `isStill` says so. */
  readonly quick?: () => SettledPath | undefined;
  close(): void;
}

/** The directory at `path`, held. NOT_FOUND, UNSAFE_PATH, and the system's own errors. */
export function holdDirectory(root: string, path: string): HeldDirectory {
  const real = targetNow(root, path);
  // Nothing inside the root can take its own place; and by its path what is in it is looked at a third faster.
  if (path === '' || process.platform !== 'linux') return { place: real, close: () => undefined };
  const { link, stats, close } = hold(root, path, real, ONLY_DIRECTORY);
  if (link === undefined) return { place: real, close };
  return { place: link, quick: () => quickPath(root, real, stats), close };
}

/** A directory in one that is held, held too. The system's own errors, also where it is a link by now. */
export function holdChild(place: string): HeldDirectory {
  if (process.platform !== 'linux') return { place, close: () => undefined };
  const descriptor = openSync(fsPath(place), ONLY_DIRECTORY);
  return { place: linkOf(descriptor), close: () => closeSync(descriptor) };
}

export interface HeldTarget {
  /** Stands for this very thing until it is closed, where the system can say so; else its path. */
  readonly place: string;
  readonly stats: BigIntStats;
  /** What `open` of `place` needs besides, so that it follows no link that was put there. */
  readonly openFlags: number;
  close(): void;
}

/** What `path` leads to, held. NOT_FOUND, UNSAFE_PATH, and the system's own errors. */
export function holdTarget(root: string, path: string): HeldTarget {
  const place = targetNow(root, path);
  const byPath = { place, openFlags: constants.O_NOFOLLOW ?? 0 };
  if (process.platform !== 'linux') {
    return { ...byPath, stats: lstatSync(fsPath(place), { bigint: true }), close: () => undefined };
  }
  const { link, stats, close } = hold(root, path, place, ONLY_LOOK);
  if (link === undefined) return { ...byPath, stats, close };
  return { place: link, stats, openFlags: 0, close };
}

/** Links that lead to links, as Linux follows them at most (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * The path below the root of what is not there yet and the link at `path` leads to; undefined where something is there.
 * UNSAFE_PATH where it would be outside, NOT_FOUND where its directory is missing or it leads in a circle.
 */
export function missingTarget(root: string, path: string): string | undefined {
  const realRoot = realPathNow(root) ?? root;
  let place = childPlace(targetNow(root, parentPath(path)), lastPart(path));
  for (let left = MOST_LINKS; left > 0; left -= 1) {
    const stats = lstatSync(fsPath(place), { throwIfNoEntry: false });
    if (stats && !stats.isSymbolicLink()) return undefined;
    if (!stats) return relative(realRoot, place).split(sep).join('/');
    const target = resolve(dirname(place), nameFromBytes(readlinkSync(fsPath(place), { encoding: 'buffer' })));
    const parent = realPathNow(dirname(target));
    if (parent === undefined) throw new XferError('NOT_FOUND', `open ${path}: a link to nothing`);
    if (!isInside(realRoot, parent)) throw new XferError('UNSAFE_PATH', `open ${path}: a link out of ${root}`);
    place = childPlace(parent, basename(target));
  }
  throw new XferError('NOT_FOUND', `open ${path}: a link that leads in a circle`);
}

/** Opens what was at `real`, the real path of `path`, on Linux. `link` stands for it, where the system can say so. */
function hold(root: string, path: string, real: string, flags: number) {
  const descriptor = openSync(fsPath(real), flags);
  const close = (): void => closeSync(descriptor);
  try {
    const stats = fstatSync(descriptor, { bigint: true });
    checkOpened(root, path, descriptor, stats);
    return { link: placeOfDescriptor(descriptor) === undefined ? undefined : linkOf(descriptor), stats, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Where the name of `path` is, in its directory, which is held. NOT_FOUND, UNSAFE_PATH, and the system's own errors. */
export function holdPlace(root: string, path: string): HeldDirectory {
  const name = basename(joinRoot(root, path));
  const { place, close } = holdDirectory(root, parentPath(path));
  return { place: childPlace(place, name), close };
}

function quickPath(root: string, real: string, stats: BigIntStats): SettledPath | undefined {
  try {
    const realRoot = realPathNow(root);
    return realRoot === undefined ? undefined : SettledPath.find(realRoot, real, identityOf(stats));
  } catch {
    return undefined;
  }
}

function linkOf(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

/** Where what is open lies, whatever its path does by now; undefined where the system does not tell. */
export function placeOfDescriptor(descriptor: number): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return nameFromBytes(readlinkSync(linkOf(descriptor), { encoding: 'buffer' }));
  } catch {
    return undefined;
  }
}
