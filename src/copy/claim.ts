/** That this process, and no other, copies a pair: between processes of one person, which share a state directory. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemCode } from '../errors.js';
import { idOf } from './id-of.js';

/** A home directory may be shared by machines: of a process on another one nothing is known. */
const HERE = idOf(hostname()).slice(0, 8);

/**
 * The file of a claim, to be removed when it ends; undefined where another process that may still run has made one. Each
 * makes a file of its own, whose name says all, before it looks for others: of two at once no more than one goes on, perhaps
 * none, and what a killed process left is removed without a chance to hit a living one's. Rejects as writeFile does.
 */
export async function claim(directory: string, id: string): Promise<string | undefined> {
  const own = `${id}.${HERE}.${process.pid}.${randomBytes(6).toString('hex')}.lock`;
  const file = join(directory, own);
  await writeFile(file, '', { flag: 'wx', mode: 0o600 });
  let isOurs = false;
  try {
    isOurs = await isAlone(directory, id, own);
  } finally {
    if (!isOurs) await rm(file, { force: true });
  }
  return isOurs ? file : undefined;
}

async function isAlone(directory: string, id: string, own: string): Promise<boolean> {
  for (const name of await readdir(directory)) {
    const [, of, host, pid] = /^(\w+)\.(\w+)\.(\d+)\.\w+\.lock$/.exec(name) ?? [];
    if (of !== id || name === own) continue;
    if (host !== HERE || isAlive(Number(pid))) return false;
    await rm(join(directory, name), { force: true });
  }
  return true;
}

/** Whether a process of this machine has the number, and still runs. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
  return !isZombie(pid);
}

/** Ended, with a parent that does not ask, as in a container without an init. Only Linux says so (proc_pid_stat.5, state). */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
