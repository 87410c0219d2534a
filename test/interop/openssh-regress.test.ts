/** OpenSSH's own regression scripts for scp, with `xfer scp` in the place of scp, each protocol by itself. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { freePort } from '../support/free-port.js';
import { findProgram, needs } from '../support/peers.js';
import { runProgram, XFER } from '../support/run-xfer.js';
import { SFTP_SERVER } from '../support/sshd.js';

/** Where Debian's openssh-tests keeps them. */
const REGRESS = '/usr/lib/openssh/regress';
const MODES = ['scp', 'sftp'] as const;

const options = { ...needs('sshd', 'ssh', 'scp', 'ssh-keygen', 'openssh-regress'), timeout: 120_000 };

/** What starts in the place of scp. The server's role, with -t or -f, stays with the real one. */
function wrapper(): string {
  return `#!/bin/sh
for word; do
  case $word in
    -t | -f) exec '${findProgram('scp')}' "$@" ;;
  esac
done
exec '${process.execPath}' '${XFER}' scp "$@"
`;
}

/** The script with one of its two modes, and what it needs beside it. */
function prepare(folder: string, name: string, mode: string): string {
  const text = readFileSync(join(REGRESS, `${name}.sh`), 'utf8');
  const both = 'for mode in scp sftp ; do';
  assert.ok(text.includes(both), `${name}.sh has other modes than these`);
  const script = join(folder, `${name}.sh`);
  writeFileSync(script, text.replace(both, `for mode in ${mode} ; do`));
  for (const beside of ['scp-ssh-wrapper.sh', 'sshd-log-wrapper.sh']) {
    writeFileSync(join(folder, beside), readFileSync(join(REGRESS, beside)));
  }
  writeFileSync(join(folder, 'scp'), wrapper(), { mode: 0o755 });
  return script;
}

async function runScript(folder: string, name: string, mode: string) {
  const objects = join(folder, 'obj');
  mkdirSync(objects);
  const script = prepare(folder, name, mode);
  const env = {
    TEST_SHELL: 'sh',
    TEST_SSH_SSH: findProgram('ssh') as string,
    TEST_SSH_SSHD: findProgram('sshd') as string,
    TEST_SSH_SCP: join(folder, 'scp'),
    TEST_SSH_SFTPSERVER: SFTP_SERVER,
    TEST_SSH_PORT: String(await freePort()),
    TEST_SSH_UNSAFE_PERMISSIONS: '1',
    BUILDDIR: REGRESS,
  };
  const result = await runProgram('sh', [join(REGRESS, 'test-exec.sh'), objects, script], { env, timeoutMs: 110_000 });
  const log = join(objects, 'failed-regress.log');
  const failed = existsSync(log) ? readFileSync(log, 'utf8') : '';
  return { ...result, said: `${result.stdout}${result.stderr}${failed}` };
}

describe("OpenSSH's regression scripts", { ...options, concurrency: 2 }, () => {
  for (const name of ['scp', 'scp3', 'scp-uri']) {
    for (const mode of MODES) {
      test(`${name}, ${mode} mode`, options, async (t) => {
        const folder = mkdtempSync(join(tmpdir(), 'xfer-regress-'));
        t.after(() => rmSync(folder, { recursive: true, force: true }));
        const { exitCode, stdout, said } = await runScript(folder, name, mode);
        assert.equal(exitCode, 0, said);
        assert.match(stdout.toString(), new RegExp(`^ok ${name}$`, 'm'), said);
      });
    }
  }
});
