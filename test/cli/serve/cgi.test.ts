/** `xfer serve --cgi` as a person starts it. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runXfer, startXfer } from '../../support/run-xfer.js';
import { ask } from '../../transports/http/listen/site/site-rig.js';

const limit = { timeout: 20_000 };

function folder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'xfer-cgi-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [directory, body] of Object.entries({
    'cgi-bin': "printf 'Content-Type: text/plain\\n\\n'; echo hello; echo to the log >&2",
    'other/run': "printf 'Content-Type: text/plain\\n\\n'; echo other",
    slow: 'sleep 300',
  })) {
    mkdirSync(join(root, directory), { recursive: true });
    writeFileSync(join(root, directory, 'x'), `#!/bin/sh\n${body}\n`);
    chmodSync(join(root, directory, 'x'), 0o755);
  }
  return root;
}

async function start(t: TestContext, args: readonly string[]) {
  const started = startXfer(['serve', ...args, '0']);
  t.after(() => started.stop());
  const [, port] = await started.waitForLine(/^download with: xfer get http:\/\/[^:]+:(\d+)\//m);
  return { started, get: (path: string) => ask(Number(port), path) };
}

test('scripts run for this machine alone, and what they say is told', limit, async (t) => {
  const root = folder(t);
  const { started, get } = await start(t, ['--cgi', root]);
  assert.equal((await get('/cgi-bin/x')).body, 'hello\n');
  assert.match((await get('/other/run/x')).body, /#!\/bin\/sh/, 'no directory of scripts');
  await started.waitForLine(/^cgi \/cgi-bin\/x: to the log$/m);
  assert.deepEqual(
    started
      .output()
      .match(/^serving on http:\/\/.*$/gm)
      ?.map((line) => line.replace(/:\d+\/$/, '')),
    ['serving on http://127.0.0.1'],
  );
  const everywhere = await start(t, ['--cgi', '--bind', '0.0.0.0', root]);
  await everywhere.started.waitForLine(/^serving on http:\/\/localhost:/m);
});

test('other directories, and how long a script may be silent', limit, async (t) => {
  const root = folder(t);
  const { get } = await start(t, ['--cgi-dir', '/other/run/', '--cgi-dir', 'slow', '--cgi-timeout', '0.3', root]);
  assert.equal((await get('/other/run/x')).body, 'other\n');
  assert.equal((await get('/slow/x')).status, 504);
  assert.match((await get('/cgi-bin/x')).body, /#!\/bin\/sh/, 'not asked for');
});

test('what does not fit is said', limit, async (t) => {
  const root = folder(t);
  const refused = async (args: readonly string[], code: number, words: RegExp): Promise<void> => {
    const { exitCode, stderr } = await runXfer(['serve', ...args, root, '0']);
    assert.match(stderr, words);
    assert.equal(exitCode, code);
  };
  await refused(['--cgi-timeout', '5'], 2, /option --cgi-timeout: no program is run\n\s+hint: add --cgi/);
  await refused(['--cgi', '--cgi-timeout', '0'], 2, /option --cgi-timeout 0: not a time/);
  await refused(['--cgi', '--cgi-timeout', 'soon'], 2, /option --cgi-timeout soon: not a number/);
  await refused(['--cgi-dir', '/none'], 3, /cgi directory \/none: no such directory in [\s\S]*hint: mkdir none/);
  await refused(['--cgi-dir', '/'], 2, /cgi directory \/: not a directory below the served one/);
  await refused(['--cgi-dir', '../x'], 2, /cgi directory \/\.\.\/x: not a directory below/);
  await refused(['--sftp', '--cgi'], 2, /option --cgi: not over SFTP/);
});
