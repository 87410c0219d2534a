/** The lines that `xfer serve` prints are pasted as they are, and work. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needs } from '../../support/peers.js';
import { type Started, startProgram, startXfer, XFER } from '../../support/run-xfer.js';

const limit = { timeout: 20_000 };
const EVERYTHING = ['--tls', '--token', '--auth', "o'hara:secret", '--base-path', '/a b'];

function place(t: TestContext): { root: string; saved: string } {
  const above = mkdtempSync(join(tmpdir(), 'xfer-announce-'));
  t.after(() => rmSync(above, { recursive: true, force: true }));
  const [root, saved] = [join(above, 'root'), join(above, 'saved')];
  for (const directory of [root, saved]) mkdirSync(directory);
  for (const name of ['.a', 'a b.txt', 'plain.txt']) writeFileSync(join(root, name), name);
  return { root, saved };
}

function start(t: TestContext, root: string, ...args: string[]): Started {
  const started = startXfer(['serve', ...args, root], { env: { XDG_CONFIG_HOME: join(root, '..', 'config') } });
  t.after(() => started.stop());
  return started;
}

/** On a terminal, with what is typed there. */
async function paste(t: TestContext, line: string, cwd: string, typed: string): Promise<Started> {
  const pasted = startProgram('script', ['-qec', line, '/dev/null'], { cwd, input: typed });
  t.after(() => pasted.stop());
  await pasted.exited;
  return pasted;
}

const programs = needs('curl', 'script');

test('the line for curl asks for the password, and saves nothing where it is wrong', {
  ...limit,
  ...programs,
}, async (t) => {
  const { root, saved } = place(t);
  const started = start(t, root, '-b', '127.0.0.1', '-p', '0', ...EVERYTHING);
  const [, line = ''] = await started.waitForLine(/^or: (curl .*)$/m);
  const wrong = await paste(t, line, saved, 'other\n');
  assert.match(wrong.output(), /password for user 'o'hara'.*401/s);
  assert.deepEqual(readdirSync(saved), []);
  await paste(t, line, saved, 'secret\n');
  assert.equal(readFileSync(join(saved, 'plain.txt'), 'utf8'), 'plain.txt', 'a name that curl saves as it is');
});

test('the line for a unix socket knows the login, the base path and the token', {
  ...limit,
  ...(process.platform === 'win32' ? { skip: 'Windows has named pipes in place of unix sockets' } : programs),
}, async (t) => {
  const { root, saved } = place(t);
  const started = start(t, root, '-b', join(saved, '..', 'x y.sock'), ...EVERYTHING);
  const [, below = ''] = await started.waitForLine(/^serving on unix:.*x y\.sock, below (\/a%20b\/[0-9a-z]+\/)$/m);
  const [, line = ''] = await started.waitForLine(/^download with: (curl .*)$/m);
  assert.ok(line.endsWith(` https://localhost${below}plain.txt`), line);
  await paste(t, line, saved, 'secret\n');
  assert.equal(readFileSync(join(saved, 'plain.txt'), 'utf8'), 'plain.txt');
});

test('the lines to upload with ask for the password, and upload', { ...limit, ...programs }, async (t) => {
  const { root, saved } = place(t);
  const started = start(t, root, '-b', '127.0.0.1', '-p', '0', '--upload', ...EVERYTHING);
  const lines = [/^upload with: xfer (put --pin \S+ FILE https:\/\/o%27hara@\S+)$/m, /^or: (curl .* -T FILE \S+)$/m];
  for (const [index, text] of lines.entries()) {
    const name = `sent ${index}.txt`;
    writeFileSync(join(saved, name), name);
    const [, line = ''] = await started.waitForLine(text);
    const program = index === 0 ? `'${process.execPath}' '${XFER}' ` : '';
    const pasted = await paste(t, program + line.replace('FILE', `'${name}'`), saved, 'secret\n');
    assert.equal((await pasted.exited).exitCode, 0, pasted.output());
    assert.equal(readFileSync(join(root, name), 'utf8'), name);
  }
});

test('as JSON it tells where the share stands, which no socket does', limit, async (t) => {
  const { root } = place(t);
  const started = start(t, root, '-b', '127.0.0.1', '-p', '0', '--json', '--token', '--base-path', 'files');
  const [line] = await started.waitForLine(/^\{.*"type":"listening".*\}$/m);
  const { path, urls } = JSON.parse(line);
  assert.match(path, /^\/files\/[0-9a-z]{26}\/$/);
  assert.ok(urls[0].endsWith(path));
});

test('what is named is an example too, though it starts with a dot', limit, async (t) => {
  const { root } = place(t);
  const started = start(t, root, '-b', '127.0.0.1', '-p', '0', join(root, '.a'));
  await started.waitForLine(/^download with: xfer get http:\/\/\S+\/\.a$/m);
});
