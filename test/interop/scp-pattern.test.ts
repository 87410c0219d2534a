/** A pattern with many matches: what is logged in for it, and what arrives. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProgram, needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { startSshd } from '../support/sshd.js';
import { differences } from '../support/trees.js';

const options = { ...needs('sshd', 'ssh', 'ssh-keygen'), timeout: 60_000 };
const FILES = 600;
/** One for the look, and as many as one copy takes on a short line. */
const MOST_SESSIONS = 5;

for (const [name, carrier] of [
  ['our own SSH', []],
  ['-S ssh', ['-S', findProgram('ssh') ?? 'ssh']],
] as const) {
  test(`${name}: one login and few sessions for all the matches of a pattern`, options, async (t) => {
    const sshd = await startSshd();
    const near = mkdtempSync(join(tmpdir(), 'xfer-pattern-'));
    t.after(async () => {
      rmSync(near, { recursive: true, force: true });
      await sshd.stop();
    });
    const [from, to] = [join(sshd.directory, 'from'), join(near, 'to')];
    mkdirSync(from);
    for (let index = 0; index < FILES; index++) writeFileSync(join(from, `f ${index}`), `${index}`);
    const { exitCode, stderr } = await runXfer(['scp', '-F', sshd.configFile, ...carrier, `h:${from}/f*`, to]);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(differences(from, to), []);
    assert.equal(sshd.log().match(/Accepted publickey/g)?.length, 1);
    const sessions = sshd.log().match(/Starting session: subsystem 'sftp'/g)?.length ?? 0;
    assert.ok(sessions >= 1 && sessions <= MOST_SESSIONS, `${sessions} sessions`);
  });
}
