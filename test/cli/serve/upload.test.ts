/** `xfer serve --upload` as a person starts it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runXfer, startXfer } from '../../support/run-xfer.js';

const limit = { timeout: 30_000 };

function folder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'xfer-serve-upload-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'inbox'));
  writeFileSync(join(root, 'f'), 'x');
  return root;
}

test('what does not go together is refused with a hint', limit, async (t) => {
  const root = folder(t);
  const inbox = join(root, 'inbox');
  const cases: [string[], RegExp][] = [
    [['--overwrite', inbox], /option --overwrite: nothing is uploaded\n {2}hint: add --upload/],
    [['--quota', '1G', inbox], /option --quota: nothing is uploaded/],
    [
      ['--upload-only', '--max-downloads', '1', inbox],
      /option --max-downloads: nothing is downloaded\n {2}hint: --once/,
    ],
    [['--upload-only', '--manage', inbox], /option --manage: whoever cannot look[^\n]+\n {2}hint: --upload-only alone/],
    [['--upload', join(root, 'f'), inbox], /uploads go into one directory/],
    [['--upload', join(root, 'f')], /uploads go into a directory/],
    [['--upload', '-'], /uploads go into one directory/],
    [['--upload', '--site', inbox], /uploads, and a site or programs\n {2}hint: whoever uploads could change them/],
    [['--upload', '--cgi', inbox], /uploads, and a site or programs/],
    [['--upload', '--max-size', 'much', inbox], /option --max-size much: not a number of bytes/],
    [['--upload', '--keep-parts', 'long', inbox], /option --keep-parts long: not a time to wait for/],
  ];
  const check = async ([words, text]: [string[], RegExp]): Promise<void> => {
    const { exitCode, stderr } = await runXfer(['serve', ...words, '0']);
    assert.equal(exitCode, 2, `${words.join(' ')}\n${stderr}`);
    assert.match(stderr, text);
  };
  await Promise.all(cases.map(check));
});

test('a drop box says how to upload, not how to download, and each upload is an event', limit, async (t) => {
  const inbox = join(folder(t), 'inbox');
  const started = startXfer(['serve', '--upload-only', '--token', '--bind', '127.0.0.1', inbox, '0']);
  t.after(() => started.stop('SIGKILL'));
  const [, url] = await started.waitForLine(/^upload with: xfer put FILE (\S+)$/m);
  assert.doesNotMatch(started.output(), /download with|whoever can reach/);
  assert.equal((await fetch(`${url}f`, { method: 'PUT', body: 'hello' })).status, 201);
  assert.equal((await fetch(`${url}f`)).status, 403);
  assert.deepEqual(readdirSync(inbox), ['f']);
  const json = startXfer(['serve', '--upload', '--json', '--bind', '127.0.0.1', inbox, '0']);
  t.after(() => json.stop('SIGKILL'));
  const [, port] = await json.waitForLine(/"port":(\d+)/);
  await fetch(`http://127.0.0.1:${port}/g`, { method: 'PUT', body: 'hello' });
  await json.waitForLine(/"type":"request".*"method":"PUT","target":"\/g".*"status":201,.*"received":5,/);
});

test('--once ends with one upload, of a drop box too', limit, async (t) => {
  const root = folder(t);
  for (const option of ['--upload', '--upload-only']) {
    const inbox = join(root, option);
    mkdirSync(inbox);
    const started = startXfer(['serve', option, '--once', '--bind', '127.0.0.1', inbox, '0']);
    t.after(() => started.stop('SIGKILL'));
    const [, url] = await started.waitForLine(/^upload with: xfer put FILE (\S+)$/m);
    const refused = await fetch(`${url}no/such/folder`, { method: 'PUT', body: 'x' });
    assert.equal(refused.status, 409, 'no upload');
    const put = await runXfer(['put', join(root, 'f'), url as string]);
    assert.equal(put.exitCode, 0, put.stderr);
    assert.equal((await started.exited).exitCode, 0, started.output());
    assert.match(started.output(), /^serve: the one upload was made, so it ends$/m);
    assert.deepEqual(readdirSync(inbox), ['f']);
  }
});

test('--once with --upload ends with one download as well', limit, async (t) => {
  const root = folder(t);
  const started = startXfer(['serve', '--upload', '--once', '--bind', '127.0.0.1', root, '0']);
  t.after(() => started.stop('SIGKILL'));
  const [, url] = await started.waitForLine(/^serving on (\S+)$/m);
  assert.equal(await (await fetch(`${url}f`)).text(), 'x');
  assert.equal((await started.exited).exitCode, 0, started.output());
  assert.match(started.output(), /^serve: the one download was made, so it ends$/m);
});
