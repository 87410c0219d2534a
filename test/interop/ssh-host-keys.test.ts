/** Which hosts are trusted: the same as by OpenSSH's ssh, for the same files and settings. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { XferError } from '#xfer/errors.js';
import { type SshOptions, transport } from '#xfer/transports/ssh/index.js';
import { needs } from '../support/peers.js';
import { type Sshd, startSshd } from '../support/sshd.js';

const run = promisify(execFile);
const available = needs('sshd', 'ssh', 'ssh-keygen');
const TYPES = ['ed25519', 'ecdsa', 'rsa'] as const;
let folder: string;
let sshd: Sshd;
/** `type base64` of each host key, and of keys that the host has not. */
const keys: Record<string, string> = {};

before(async () => {
  if (available.skip) return;
  folder = await mkdtemp(join(tmpdir(), 'xfer-host-keys-'));
  for (const name of [...TYPES, 'ed25519-other', 'ecdsa-other']) {
    const file = join(folder, name);
    await run('ssh-keygen', ['-q', '-t', name.split('-')[0] as string, '-N', '', '-f', file]);
    keys[name] = (await readFile(`${file}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
  }
  sshd = await startSshd({ lines: TYPES.map((type) => `HostKey ${join(folder, type)}`), hostKey: false });
});
after(async () => {
  await sshd?.stop();
  if (folder) await rm(folder, { recursive: true });
});

async function sshTrusts(options: readonly string[]): Promise<boolean> {
  const flags = options.flatMap((option) => ['-o', option]);
  const args = ['-F', sshd.configFile, ...flags, sshd.host, 'true'];
  return run('ssh', args, { timeout: 30_000 }).then(
    () => true,
    (error: { code?: unknown; stderr?: string }) => {
      assert.equal(error.code, 255, error.stderr);
      return false;
    },
  );
}

async function xferTrusts(options: readonly string[]): Promise<boolean> {
  const location = { scheme: 'sftp', host: sshd.host, path: '.' };
  const asked: SshOptions = { configFile: sshd.configFile, options };
  try {
    const source = await transport.openSource?.(location, asked, { signal: AbortSignal.timeout(30_000) });
    await source?.close();
    return true;
  } catch (error) {
    assert.ok(error instanceof XferError && ['DENIED', 'UNSUPPORTED'].includes(error.code), String(error));
    return false;
  }
}

let count = 0;

async function put(text: string): Promise<string> {
  const file = join(folder, `file-${count++}`);
  await writeFile(file, text);
  return file;
}

/** Both decide alike about the host with these known_hosts lines and options, and as expected. */
async function decide(lines: readonly string[], options: readonly string[], expected: boolean): Promise<void> {
  const known = `UserKnownHostsFile=${await put(`${lines.join('\n')}\n`)}`;
  const [theirs, ours] = await Promise.all([sshTrusts([...options, known]), xferTrusts([...options, known])]);
  const hint = `${lines.join(' | ')} with ${options.join(' ')}`;
  assert.equal(theirs, expected, `ssh: ${hint}`);
  assert.equal(ours, expected, `xfer: ${hint}`);
}

const timeout = 120_000;

test('a host known by one type of key shows that key', { ...available, timeout }, async () => {
  const name = `[${sshd.host}]:${sshd.port}`;
  for (const type of TYPES) {
    await decide([`${name} ${keys[type]}`], [], true);
    await decide([`nick ${keys[type]}`], ['HostKeyAlias=Nick'], true);
    const file = await put(`${name} ${keys[type]}\n`);
    await run('ssh-keygen', ['-H', '-f', file]);
    await decide([(await readFile(file, 'utf8')).trim()], [], true);
  }
  await decide([`${sshd.host} ${keys.ed25519}`], [], true);
  await decide([`${name} ${keys.rsa}`], ['HostKeyAlgorithms=ssh-ed25519'], false);
  await decide([`${name} ${keys.rsa}`], ['HostKeyAlgorithms=-ssh-ed25519'], true);
});

test('a host that is unknown, changed, revoked or vouched for by an authority is refused', {
  ...available,
  timeout,
}, async () => {
  const name = `[${sshd.host}]:${sshd.port}`;
  await decide([], [], false);
  await decide([`other ${keys.ed25519}`], [], false);
  await decide([`${name} ${keys['ecdsa-other']}`], [], false);
  await decide([`${name} ${keys['ed25519-other']}`, `${name} ${keys.ed25519}`], [], true);
  await decide([`${name} ${keys.ed25519}`, `@revoked * ${keys.ed25519}`], [], false);
  await decide([`@cert-authority * ${keys.ed25519}`], [], false);
  await decide([`nick ${keys.ed25519}`], [], false);
});

test('settings about host keys decide as they do for ssh', { ...available, timeout }, async () => {
  const lines = [`[${sshd.host}]:${sshd.port} ${keys.ed25519}`];
  const revoked = (file: string) => [`RevokedHostKeys=${file}`];
  await decide(lines, revoked(await put(`# none\n${keys['ed25519-other']}\n`)), true);
  await decide(lines, revoked(await put(`${keys.rsa}\n${keys.ed25519} a comment\n`)), false);
  await decide(lines, revoked(join(folder, 'nowhere')), false);
  await decide(lines, revoked(await put('what is this\n')), false);
  const says = await put(`[${sshd.host}]:${sshd.port} ${keys.ed25519}\n`);
  await decide([], [`KnownHostsCommand=/bin/cat ${says}`], true);
  await decide([], [`KnownHostsCommand=/bin/echo %H ${keys.ed25519}`], true);
  await decide(lines, ['KnownHostsCommand=/bin/false'], false);
  const other = [`[${sshd.host}]:${sshd.port} ${keys['ed25519-other']}`];
  await decide(other, ['NoHostAuthenticationForLocalhost=yes'], true);
  await decide(other, ['NoHostAuthenticationForLocalhost=yes', 'HostKeyAlias=nick'], false);
  await decide(lines, ['CheckHostIP=yes'], true);
  await decide([`[${sshd.host}]:${sshd.port} ${keys.rsa}`], ['RequiredRSASize=4096'], false);
});
