/** Files that the kernel makes while they are read: their size says nothing, and they are read to their end. */
import { type BigIntStats, readFileSync } from 'node:fs';

const FILE_SYSTEMS: ReadonlySet<string> = new Set([
  'proc',
  'sysfs',
  'cgroup',
  'cgroup2',
  'configfs',
  'debugfs',
  'securityfs',
  'tracefs',
]);

/** Their devices, as `stat` has them; read once, when the first file is met that may be one. */
let devices: ReadonlySet<bigint> | undefined;

/** Such a file has no blocks, and no size or that of a page. Only Linux has them. */
export function isMadeWhenRead({ size, blocks, blksize, dev }: BigIntStats): boolean {
  if (process.platform !== 'linux' || blocks !== 0n || (size !== 0n && size !== blksize)) return false;
  devices ??= findDevices();
  return devices.has(dev);
}

/** None where the mounts cannot be read. */
function findDevices(): ReadonlySet<bigint> {
  try {
    return devicesIn(readFileSync('/proc/self/mountinfo', 'latin1'));
  } catch {
    return new Set();
  }
}

/** Of the lines of mountinfo, proc(5): ID, parent, major:minor, …, a dash, type, … */
function devicesIn(mounts: string): ReadonlySet<bigint> {
  const found = new Set<bigint>();
  for (const line of mounts.split('\n')) {
    const [, major, minor, type = ''] = /^\d+ \d+ (\d+):(\d+) .* - (\S+) /.exec(line) ?? [];
    if (FILE_SYSTEMS.has(type)) found.add(deviceOf(BigInt(major as string), BigInt(minor as string)));
  }
  return found;
}

/** As in the C library, makedev(3). */
function deviceOf(major: bigint, minor: bigint): bigint {
  return ((major & 0xfffff000n) << 32n) | ((major & 0xfffn) << 8n) | ((minor & 0xffffff00n) << 12n) | (minor & 0xffn);
}
