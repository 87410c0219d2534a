/** A link that somebody put where a draft was left: nothing is made or written where it leads. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { SFTP_SERVER } from '../support/sshd.js';

test('a link that has the name of a draft that was left is not followed', {
  ...needs('sshd'),
  timeout: 60_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-planted-link-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [source, far, elsewhere] = [join(folder, 'file'), join(folder, 'far'), join(folder, 'elsewhere')];
  mkdirSync(far);
  mkdirSync(elsewhere);
  writeFileSync(source, Buffer.alloc(40 << 20, 'bytes'));
  writeFileSync(join(elsewhere, 'there'), 'there');
  const words = ['scp', '-D', SFTP_SERVER, '--limit', '20M', source, `h:${far}/copy`];
  const drafts = () => readdirSync(far).filter((name) => name.endsWith('.xfer-part'));
  const hasBegun = () => drafts().some((name) => statSync(join(far, name)).size > 9 << 20);
  await runXfer(words, { killWhen: hasBegun });
  const [draft] = drafts();
  assert.ok(draft);
  for (const name of ['new', 'there']) {
    rmSync(join(far, draft));
    symlinkSync(join(elsewhere, name), join(far, draft));
    const { exitCode, stderr } = await runXfer(words);
    assert.equal(exitCode, 8, stderr);
    assert.match(stderr, /xfer-part: something else has that name\n.*remove it/);
    assert.deepEqual([readdirSync(far), readdirSync(elsewhere)], [[draft], ['there']]);
    assert.equal(readFileSync(join(elsewhere, 'there'), 'utf8'), 'there');
  }
});
