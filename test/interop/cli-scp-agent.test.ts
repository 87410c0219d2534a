/** `xfer scp` logs in with a key that only an agent holds. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { needs } from '../support/peers.js';
import { runProgram, runXfer, startProgram } from '../support/run-xfer.js';
import { startSshd } from '../support/sshd.js';

const options = { ...needs('sshd', 'ssh-keygen', 'ssh-agent', 'ssh-add'), timeout: 60_000 };

/** An agent without keys; the path of its socket. */
async function startAgent(t: TestContext, folder: string): Promise<string> {
  const socket = join(folder, 'agent');
  const agent = startProgram('ssh-agent', ['-D', '-a', socket]);
  t.after(() => agent.stop());
  while (!existsSync(socket)) await sleep(5, undefined, { signal: t.signal });
  return socket;
}

test('a key in the agent opens the door, and without it the door stays shut', options, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-agent-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const sshd = await startSshd();
  t.after(() => sshd.stop());
  const socket = await startAgent(t, folder);
  const [file, there] = [join(folder, 'file'), join(sshd.directory, 'there')];
  writeFileSync(file, 'by agent');
  const settings = [`UserKnownHostsFile=${sshd.knownHostsFile}`, `User=${sshd.user}`, 'BatchMode=yes'];
  const login = ['-F', 'none', '-P', String(sshd.port), ...settings.flatMap((setting) => ['-o', setting])];
  const scp = (env: Record<string, string>) => runXfer(['scp', '-q', ...login, file, `${sshd.host}:${there}`], { env });
  const shut = await scp({ SSH_AUTH_SOCK: socket });
  assert.equal(shut.exitCode, 4, shut.stderr);
  assert.equal(existsSync(there), false);
  const added = await runProgram('ssh-add', [sshd.identityFile], { env: { SSH_AUTH_SOCK: socket } });
  assert.equal(added.exitCode, 0, added.stderr);
  const open = await scp({ SSH_AUTH_SOCK: socket });
  assert.equal(open.exitCode, 0, open.stderr);
  assert.equal(readFileSync(there, 'utf8'), 'by agent');
});
