/** Files of the person who runs this that nobody else may read: made whole, and kept. */
import { randomBytes } from 'node:crypto';
import { link, lstat, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode, toXferError, XferError } from '../errors.js';
import { readUpTo } from './named-file.js';
import { makeOwnDirectory } from './own-directory.js';

/** A secret that is made once and lives in a file from then on. */
export interface KeptSecret<T> {
  /** For messages, as in `host key`. */
  readonly what: string;
  /** A new one, as the text of its file. */
  make(): string;
  /** What the text of a file holds; undefined where that is no secret of this kind. */
  parse(text: string): T | undefined;
}

const MOST_BYTES = 64 * 1024;

/** What `link` fails with on a file system without hard links. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK']);

/**
 * The secret in `file`, which is made where nothing is there, with its directory: by one of several processes that start
 * at once, for all of them. CORRUPT where the file holds no such secret, DENIED where others may read it or it cannot be
 * written, EXISTS where it is a link to nothing.
 */
export async function keepSecret<T>(file: string, secret: KeptSecret<T>, platform = process.platform): Promise<T> {
  try {
    const kept = await readSecret(file, secret, platform);
    if (kept !== undefined) return kept;
    await writeBeside(file, secret.make(), (temporary) => nameFirst(temporary, file));
    const made = await readSecret(file, secret, platform);
    if (made !== undefined) return made;
    throw await whyGone(file, secret.what);
  } catch (error) {
    throw toXferError(error, `${secret.what} ${file}`);
  }
}

/**
 * Writes a file whole, in place of the one that may be there, with its directory. `fleeting`: it outlives the process, and
 * not the loss of power. DENIED, NO_SPACE.
 */
export async function replacePrivateFile(file: string, text: string, fleeting = false): Promise<void> {
  try {
    await writeBeside(file, text, (temporary) => rename(temporary, file), fleeting);
  } catch (error) {
    throw toXferError(error, `write ${file}`);
  }
}

/** Text of a small file; undefined where nothing is there, empty where it is too long to be one of ours. DENIED. */
export async function readSmallFile(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file, 'r');
    try {
      return (await readUpTo(handle, MOST_BYTES))?.toString('utf8') ?? '';
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw toXferError(error, `read ${file}`);
  }
}

/** Of a file that was made, and cannot be read. */
async function whyGone(file: string, what: string): Promise<XferError> {
  const isLink = await lstat(file).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
  if (!isLink) return new XferError('NOT_FOUND', `${what} ${file}: something removed it as it was made`);
  return new XferError('EXISTS', `${what} ${file}: a link to a file that is not there`, {
    hint: 'remove the link, or make what it leads to',
  });
}

async function readSecret<T>(
  file: string,
  { what, parse }: KeptSecret<T>,
  platform: NodeJS.Platform,
): Promise<T | undefined> {
  const text = await readSmallFile(file);
  if (text === undefined) return undefined;
  if (platform !== 'win32' && (await stat(file)).mode & 0o077) {
    throw new XferError('DENIED', `${what} ${file}: others may read it`, {
      hint: `remove it, or make it private: chmod 600 '${file}'`,
    });
  }
  const parsed = parse(text);
  if (parsed !== undefined) return parsed;
  throw new XferError('CORRUPT', `${what} ${file}: not a private key`, { hint: 'remove it, and a new one is made' });
}

/** Writes what gets its name by `giveName`, which may leave it under its temporary one. */
async function writeBeside(
  file: string,
  text: string,
  giveName: (temporary: string) => Promise<void>,
  fleeting = false,
): Promise<void> {
  await makeOwnDirectory(dirname(file));
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      if (!fleeting) await handle.sync();
    } finally {
      await handle.close();
    }
    await giveName(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Gives the name unless another process was faster. */
async function nameFirst(temporary: string, file: string): Promise<void> {
  try {
    await link(temporary, file);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return;
    if (!NO_LINKS.has(code)) throw error;
    await rename(temporary, file);
  }
}
