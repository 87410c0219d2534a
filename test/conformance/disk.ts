/** Fixtures in a temporary directory, for the transports that read and write real files. */
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemCode } from '#xfer/errors.js';
import { bytesFromName, joinPath, nameFromBytes } from '#xfer/names.js';
import type { Sink } from '#xfer/transport.js';
import type { Fixture } from '../support/fixtures.js';
import type { OpenedSink } from './rig.js';

export interface Disk {
  /** Full path of the root that a rig opens. */
  readonly root: string;
  put(file: Fixture): Promise<void>;
  read(path: string): Promise<Buffer | undefined>;
  /** Path of everything below the root; `[]` where the root is a file or missing. */
  list(): Promise<string[]>;
  /** Names beside the root. */
  outside(): Promise<string[]>;
  remove(): Promise<void>;
}

/** A fresh directory with `files` below `root`; the root is a directory unless a fixture takes its place. */
export async function openDisk(files: readonly Fixture[]): Promise<Disk> {
  const above = await mkdtemp(join(tmpdir(), 'xfer-suite-'));
  const root = join(above, 'root');
  await writeFile(join(above, 'neighbour'), 'beside');
  const disk: Disk = {
    root,
    put: (file) => put(root, file),
    read: (path) => readIfThere(onDisk(root, path)),
    list: () => listBelow(root, ''),
    outside: async () => (await readdir(above)).sort(),
    remove: () => rm(above, { recursive: true, force: true }),
  };
  if (!files.some((file) => file.path === '')) await mkdir(root);
  for (const file of files) await disk.put(file);
  return disk;
}

/** The sink that `open` makes for the disk's root, once more at each `reopen`; `stop` ends what serves the disk. */
export async function openSinkOn(
  disk: Disk,
  open: () => Promise<Sink>,
  stop = async (): Promise<void> => undefined,
): Promise<OpenedSink> {
  const sinks: Sink[] = [];
  const reopen = async () => {
    const opened = await open();
    sinks.push(opened);
    return opened;
  };
  return {
    sink: await reopen(),
    reopen,
    list: disk.list,
    outside: disk.outside,
    read: disk.read,
    async close() {
      for (const opened of sinks) await opened.close();
      await stop();
      await disk.remove();
    },
  };
}

/** The path as bytes, so that names which are not UTF-8 are what they are. */
function onDisk(root: string, path: string): Buffer {
  return bytesFromName(path === '' ? root : `${root}/${path}`);
}

async function put(root: string, file: Fixture): Promise<void> {
  const { path, kind = 'file', bytes = Buffer.alloc(0), target = '', mode, mtimeMs } = file;
  const full = onDisk(root, path);
  if (path.includes('/')) await mkdir(onDisk(root, path.slice(0, path.lastIndexOf('/'))), { recursive: true });
  if (kind === 'directory') await mkdir(full, { recursive: true });
  else if (kind === 'symlink') await symlink(bytesFromName(target), full);
  else {
    await writeFile(full, bytes, mode === undefined ? {} : { mode });
    if (mtimeMs !== undefined) await utimes(full, mtimeMs / 1000, mtimeMs / 1000);
  }
}

async function readIfThere(path: Buffer): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function listBelow(root: string, path: string): Promise<string[]> {
  const full = onDisk(root, path);
  const there = await lstat(full).catch(() => undefined);
  if (!there?.isDirectory()) return [];
  const found: string[] = [];
  for (const item of await readdir(full, { withFileTypes: true, encoding: 'buffer' })) {
    const below = joinPath(path, nameFromBytes(item.name));
    found.push(below);
    if (item.isDirectory()) found.push(...(await listBelow(root, below)));
  }
  return found;
}
