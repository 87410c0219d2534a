/** Directories that nobody but the person who runs this may look into. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../errors.js';

/**
 * Makes a directory, and those above it, where they are missing. Rejects as mkdir(2) does. Each by itself: Node's recursive
 * mkdir calls a read-only place missing, and does not end in /proc.
 */
export async function makeOwnDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeOwnDirectory(dirname(path));
    await mkdir(path, { mode: 0o700 }).catch((again: unknown) => {
      if (systemCode(again) !== 'EEXIST') throw again;
    });
  }
}

/** The same, and rejects where no file can be written there: it is full, read-only, another's, or no directory. */
export async function makeWritableDirectory(path: string): Promise<void> {
  await makeOwnDirectory(path);
  const probe = join(path, `.${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(probe, 'x', { flag: 'wx', mode: 0o600 });
  } finally {
    await rm(probe, { force: true });
  }
}
