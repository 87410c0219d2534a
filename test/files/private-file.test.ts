/** Small files of the person who runs this. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { keepSecret, readSmallFile } from '#xfer/files/private-file.js';
import { failsWith } from '../support/fails-with.js';

const bounded = { timeout: 10_000, ...(process.platform === 'win32' ? { skip: 'no links, no devices' } : {}) };
const word = { what: 'word', make: () => 'made', parse: (text: string) => text || undefined };

function prepare(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-private-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a secret is not made behind a link to nothing', bounded, async (t) => {
  const file = join(prepare(t), 'link');
  symlinkSync('nowhere', file);
  await assert.rejects(keepSecret(file, word), failsWith('EXISTS', /word .*link: a link to a file that is not there/));
});

test(
  'a file that is too long is not one of ours, and no more than that is read of what has no end',
  bounded,
  async (t) => {
    const file = join(prepare(t), 'file');
    writeFileSync(file, 'x'.repeat(64 * 1024));
    assert.equal((await readSmallFile(file))?.length, 64 * 1024);
    writeFileSync(file, 'x'.repeat(64 * 1024 + 1));
    assert.equal(await readSmallFile(file), '');
    assert.equal(await readSmallFile('/dev/zero'), '');
    assert.equal(await readSmallFile(`${file}-missing`), undefined);
  },
);
