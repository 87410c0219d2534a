/** `xfer serve --site` as a person starts it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runXfer, startXfer } from '../../support/run-xfer.js';
import { ask } from '../../transports/http/listen/site/site-rig.js';

const limit = { timeout: 20_000 };

function folder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'xfer-site-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'docs'));
  writeFileSync(join(root, 'index.html'), 'home');
  writeFileSync(join(root, 'docs', 'guide.html'), 'guide');
  return root;
}

async function start(t: TestContext, args: readonly string[]) {
  const started = startXfer(['serve', '-b', '127.0.0.1', ...args, '0']);
  t.after(() => started.stop());
  const [, port] = await started.waitForLine(/^serving on http:\/\/127\.0\.0\.1:(\d+)\/$/m);
  return { started, get: (path: string) => ask(Number(port), path) };
}

test('a site by its option, by its rules and with one page', limit, async (t) => {
  const root = folder(t);
  const plain = await start(t, [root]);
  assert.equal((await plain.get('/docs/guide')).status, 404);
  const site = await start(t, ['--site', root]);
  assert.equal((await site.get('/docs/guide')).body, 'guide');
  assert.equal((await site.get('/none')).status, 404);
  const single = await start(t, ['--single', root]);
  assert.equal((await single.get('/none/at/all')).body, 'home');
  writeFileSync(join(root, 'serve.json'), '{"redirects": [{"source": "/old", "destination": "/docs/guide"}]}');
  const rules = await start(t, [root]);
  await rules.started.waitForLine(/by the rules of its serve\.json$/m);
  const told = [single, rules].map(({ started }) => started.output()).join('');
  assert.doesNotMatch(told, /^download with/m, 'the rules say what its addresses are');
  assert.equal((await rules.get('/old?x')).location, '/docs/guide?x');
});

test('rules that are not right are said, and nothing is served', limit, async (t) => {
  const root = folder(t);
  writeFileSync(join(root, 'serve.json'), '{"cleanUrl": true}');
  const { exitCode, stderr, stdout } = await runXfer(['serve', root, '0']);
  assert.equal(exitCode, 2);
  assert.match(stderr, /^xfer: serve\.json: unknown key cleanUrl\n\s+hint: known keys: .*cleanUrls/);
  assert.equal(stdout.length, 0);
  const overSftp = await runXfer(['serve', '--sftp', '--single', root, '0']);
  assert.equal(overSftp.exitCode, 2);
  assert.match(overSftp.stderr, /option --single: not over SFTP\n\s+hint: leave out --sftp/);
});
