/** Servers without sftp: by -O, and by the fall-back that is announced. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type Dropbear, startDropbear } from '../support/dropbear.js';
import { needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { type Sshd, startSshd } from '../support/sshd.js';
import { differences, makeOddTree } from '../support/trees.js';

const TIME = { timeout: 20_000 };

function makeTree(t: TestContext): { folder: string; tree: string } {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-old-servers-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const tree = join(folder, 'tree');
  makeOddTree(tree, 40);
  rmSync(join(tree, 'new\nline'));
  return { folder, tree };
}

describe('dropbear', needs('dropbear', 'dropbearkey', 'nss-wrapper', 'scp', 'ssh-keygen'), () => {
  let dropbear: Dropbear;
  before(async () => {
    dropbear = await startDropbear();
  });
  after(() => dropbear.stop());
  const scp = (...args: string[]) => runXfer(['scp', '-F', dropbear.configFile, '-O', ...args]);

  test('a tree goes up and comes down, relative to the home directory', TIME, async (t) => {
    const { folder, tree } = makeTree(t);
    const up = await scp('-rp', tree, 'dropbear:copy');
    assert.equal(up.exitCode, 0, up.stderr);
    assert.deepEqual(differences(tree, join(dropbear.home, 'copy'), { modes: true, times: true }), []);
    const down = await scp('-rp', 'dropbear:~/copy', join(folder, 'back'));
    assert.equal(down.exitCode, 0, down.stderr);
    assert.deepEqual(differences(tree, join(folder, 'back'), { modes: true, times: true }), []);
  });

  test('its shell starts nothing that a name holds', TIME, async (t) => {
    const { folder } = makeTree(t);
    const name = '$(touch pwned) `touch pwned`; touch pwned';
    writeFileSync(join(folder, name), 'x');
    assert.equal((await scp(join(folder, name), `dropbear:${name}`)).exitCode, 0);
    assert.equal(readFileSync(join(dropbear.home, name), 'utf8'), 'x');
    assert.equal((await scp(`dropbear:${name}`, join(folder, 'back'))).exitCode, 0);
    assert.equal(readFileSync(join(folder, 'back'), 'utf8'), 'x');
    assert.equal(existsSync(join(dropbear.home, 'pwned')), false);
  });

  test('patterns are matched there', TIME, async (t) => {
    const { folder } = makeTree(t);
    mkdirSync(join(dropbear.home, 'logs'));
    mkdirSync(join(folder, 'got'));
    for (const each of ['a.log', 'b.log', 'c.txt']) writeFileSync(join(dropbear.home, 'logs', each), each);
    assert.equal((await scp('dropbear:logs/*.log', join(folder, 'got'))).exitCode, 0);
    assert.deepEqual(readdirSync(join(folder, 'got')), ['a.log', 'b.log']);
    const missing = await scp('dropbear:logs/*.zip', join(folder, 'got'));
    assert.equal(missing.exitCode, 3);
    assert.match(missing.stderr, /logs\/\*\.zip: No such file/);
  });
});

const KINDS = { 'no sftp subsystem': false, 'an sftp program that is missing': '/nonexistent/sftp-server' } as const;

for (const [kind, sftp] of Object.entries(KINDS)) {
  describe(`a server with ${kind}`, needs('sshd', 'ssh', 'scp', 'ssh-keygen'), () => {
    let sshd: Sshd;
    before(async () => {
      sshd = await startSshd({ sftp });
    });
    after(() => sshd.stop());
    const NOTICE = /no sftp there; using the old scp protocol/;

    for (const [by, options] of Object.entries({ 'our own SSH': [], "the system's ssh": ['-S', 'ssh'] })) {
      test(`${by}: copies by the old protocol, and says so`, TIME, async (t) => {
        const { folder, tree } = makeTree(t);
        const scp = (...args: string[]) => runXfer(['scp', '-F', sshd.configFile, ...options, ...args]);
        const far = join(folder, 'far');
        const up = await scp('-r', tree, `${sshd.host}:${far}`);
        assert.equal(up.exitCode, 0, up.stderr);
        assert.match(up.stderr, NOTICE);
        assert.deepEqual(differences(tree, far), []);
        const down = await scp('-r', `${sshd.host}:${far}/d*`, folder);
        assert.equal(down.exitCode, 0, down.stderr);
        assert.match(down.stderr, NOTICE);
        assert.deepEqual(differences(join(tree, 'deep'), join(folder, 'deep')), []);
        mkdirSync(join(folder, 'several'));
        const several = await scp('-r', `${sshd.host}:${far}/deep`, `${sshd.host}:${far}`, join(folder, 'several/'));
        assert.equal(several.exitCode, 0, several.stderr);
        assert.equal(several.stderr.match(new RegExp(NOTICE, 'g'))?.length, 1, several.stderr);
      });
    }

    test('-s takes no other protocol', TIME, async (t) => {
      const { tree } = makeTree(t);
      const { exitCode, stderr } = await runXfer(['scp', '-F', sshd.configFile, '-sr', tree, `${sshd.host}:/none/x`]);
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, /xfer scp -O/);
    });
  });
}
