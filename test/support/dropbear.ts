/** A real dropbear on a free loopback port, with a home directory of its own, that is gone after `stop`. */
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { findProgram } from './peers.js';
import { runProgram } from './run-xfer.js';

export interface Dropbear {
  /** An ssh_config that names host, port and keys; the host is called `dropbear`. */
  readonly configFile: string;
  /** The home directory of who logs in. */
  readonly home: string;
  log(): string;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

export async function startDropbear(): Promise<Dropbear> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'xfer-dropbear-')));
  try {
    return await startIn(root);
  } catch (error) {
    await rm(root, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(root: string): Promise<Dropbear> {
  const home = join(root, 'home');
  const userKey = join(root, 'user');
  const hostKey = join(root, 'host');
  await mkdir(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', userKey]);
  await writeFile(join(home, '.ssh', 'authorized_keys'), await readFile(`${userKey}.pub`), { mode: 0o600 });
  await chmod(home, 0o700);
  const made = await runProgram('dropbearkey', ['-t', 'ed25519', '-f', hostKey]);
  const publicKey = /^ssh-ed25519 \S+/m.exec(made.stdout.toString())?.[0];
  if (publicKey === undefined) throw new Error(`dropbearkey gave no key: ${made.stderr}`);
  const { username, uid, gid } = userInfo();
  // It looks for keys in the home directory that the system names, and must not touch the person's own.
  await writeFile(join(root, 'passwd'), `${username}:x:${uid}:${gid}::${home}:/bin/sh\n`);
  await writeFile(join(root, 'group'), `${username}:x:${gid}:\n`);
  const { child, port, log } = await listen(root, hostKey);
  await writeFile(join(root, 'known_hosts'), `[${HOST}]:${port} ${publicKey}\n`);
  const lines = [
    'Host dropbear',
    `HostName ${HOST}`,
    `Port ${port}`,
    `User ${username}`,
    `IdentityFile ${userKey}`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    `UserKnownHostsFile ${join(root, 'known_hosts')}`,
    'GlobalKnownHostsFile none',
    'StrictHostKeyChecking yes',
  ];
  const configFile = join(root, 'ssh_config');
  await writeFile(configFile, `${lines.join('\n  ')}\n`);
  const stop = async () => {
    await end(child);
    await rm(root, { recursive: true, force: true });
  };
  return { configFile, home, log, stop };
}

/** Another program may take the free port between the look and the start: then another is tried. */
async function listen(root: string, hostKey: string) {
  let said = '';
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = await freePort();
    const args = ['-F', '-E', '-s', '-p', `${HOST}:${port}`, '-r', hostKey, '-P', join(root, 'pid')];
    const env = {
      ...process.env,
      LD_PRELOAD: findProgram('nss-wrapper'),
      NSS_WRAPPER_PASSWD: join(root, 'passwd'),
      NSS_WRAPPER_GROUP: join(root, 'group'),
    };
    const child = spawn(findProgram('dropbear') as string, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    const ready = new Promise<boolean>((resolve) => {
      child.once('exit', () => resolve(false)).once('error', () => resolve(false));
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (log.includes('Not backgrounding')) resolve(true);
      });
    });
    if ((await ready) && !log.includes('Failed listening')) return { child, port, log: () => log };
    said = log;
    await end(child);
  }
  throw new Error(`dropbear did not start: ${said}`);
}

async function end(child: ReturnType<typeof spawn>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exited;
}
