/** An agent's keys with a real sshd: offered in order, as one factor of several, and lent to the far side. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCarrier } from '#xfer/transports/ssh/carriers/open-carrier.js';
import type { SshOptions } from '#xfer/transports/ssh/ssh-options.js';
import { needs } from '../support/peers.js';
import { runProgram, type Started, startProgram } from '../support/run-xfer.js';
import { type Sshd, startSshd } from '../support/sshd.js';

const wanted = needs('sshd', 'ssh-keygen', 'ssh-agent', 'ssh-add');
const options = { ...wanted, timeout: 30_000 };
const scope = { signal: new AbortController().signal };
let folder: string;
let agent: Started | undefined;
let socket: string;
let sshd: Sshd;

before(async () => {
  if (wanted.skip !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'xfer-agent-sshd-'));
  socket = join(folder, 'agent');
  agent = startProgram('ssh-agent', ['-D', '-a', socket]);
  sshd = await startSshd();
  while (!existsSync(socket)) await sleep(5);
  const other = join(folder, 'other');
  await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'other', '-f', other]);
  for (const key of [other, sshd.identityFile]) {
    const added = await runProgram('ssh-add', [key], { env: { SSH_AUTH_SOCK: socket } });
    assert.equal(added.exitCode, 0, added.stderr);
  }
});
after(async () => {
  await Promise.all([agent?.stop(), sshd?.stop()]);
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** What a far command prints, logged in with the agent alone. */
async function far(at: Sshd, command: string, given: SshOptions = {}, ...settings: string[]): Promise<string> {
  const login = [
    'BatchMode=yes',
    `IdentityAgent=${socket}`,
    'IdentityFile=none',
    `UserKnownHostsFile=${at.knownHostsFile}`,
  ];
  const location = { scheme: 'sftp', host: at.host, port: at.port, user: at.user, path: '.' };
  const all = { configFile: 'none', ...given, options: [...settings, ...login] };
  const carrier = await openCarrier(location, all, scope, 'source');
  try {
    assert.ok(carrier.execute);
    const { stream, stderr } = await carrier.execute(command, scope);
    stream.end();
    stderr.resume();
    return Buffer.concat((await stream.toArray()) as Buffer[]).toString();
  } finally {
    await carrier.close();
  }
}

test('the agent is lent to the far side with -A, and only then', options, async () => {
  const fingerprint = (await runProgram('ssh-keygen', ['-l', '-f', `${folder}/other.pub`])).stdout
    .toString()
    .split(' ')[1];
  const list = 'ssh-add -l 2>/dev/null; echo "[$SSH_AUTH_SOCK]"';
  assert.ok((await far(sshd, list, { forwardAgent: true })).includes(fingerprint as string));
  assert.match(await far(sshd, list), /^\[\]$/m);
  const file = join(folder, 'config');
  appendFileSync(file, 'Host *\n  ForwardAgent yes\n');
  assert.match(await far(sshd, list, { configFile: file }), /^\[\]$/m);
  assert.ok((await far(sshd, list, { configFile: file }, 'ForwardAgent=yes')).includes(fingerprint as string));
});

test('a server that forwards no agent still runs the command', options, async (t) => {
  const strict = await startSshd({ lines: ['AllowAgentForwarding no'] });
  t.after(() => strict.stop());
  appendFileSync(join(strict.directory, '..', 'keys', 'authorized_keys'), readFileSync(`${folder}/other.pub`));
  assert.equal(await far(strict, 'echo here', { forwardAgent: true }), 'here\n');
});

test('two keys in turn open what asks for both', options, async (t) => {
  const strict = await startSshd({ lines: ['AuthenticationMethods publickey,publickey'] });
  t.after(() => strict.stop());
  const authorized = join(strict.directory, '..', 'keys', 'authorized_keys');
  for (const file of [`${folder}/other.pub`, `${sshd.identityFile}.pub`])
    appendFileSync(authorized, readFileSync(file));
  assert.equal(await far(strict, 'echo both'), 'both\n');
  assert.equal(strict.log().match(/Partial publickey/g)?.length, 1);
});

test('with IdentitiesOnly the agent is asked for the named key alone', options, async () => {
  const before = sshd.log().length;
  const given = { identityFiles: [`${sshd.identityFile}.pub`] };
  assert.equal(await far(sshd, 'echo one', given, 'IdentitiesOnly=yes'), 'one\n');
  assert.doesNotMatch(sshd.log().slice(before), /Failed publickey/);
  const file = { identityFiles: [sshd.identityFile] };
  assert.equal(await far(sshd, 'echo first', file), 'first\n');
  assert.doesNotMatch(sshd.log().slice(before), /Failed publickey/);
  assert.equal(await far(sshd, 'echo second'), 'second\n');
  assert.match(sshd.log().slice(before), /Failed publickey/);
});
