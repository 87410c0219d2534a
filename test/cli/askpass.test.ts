import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { askpassOf } from '#xfer/cli/askpass.js';
import { createPrompt, type Terminal } from '#xfer/cli/prompt.js';
import { captured, testSurroundings } from '../support/surroundings.js';

const onPosix = { timeout: 20_000, skip: process.platform === 'win32' };
const scope = () => ({ signal: new AbortController().signal });

/** Surroundings whose SSH_ASKPASS is this script. */
function asking(t: TestContext, script: string, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-askpass-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'ask pass');
  writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  return testSurroundings({ env: { PATH: process.env.PATH, SSH_ASKPASS: program, DISPLAY: ':9', ...env } });
}

test('when it is asked follows SSH_ASKPASS_REQUIRE and the display', () => {
  const cases: [Record<string, string>, boolean | undefined][] = [
    [{}, undefined],
    [{ DISPLAY: '' }, undefined],
    [{ DISPLAY: ':0' }, false],
    [{ WAYLAND_DISPLAY: 'wayland-0' }, false],
    [{ DISPLAY: ':0', SSH_ASKPASS_REQUIRE: 'never' }, undefined],
    [{ DISPLAY: ':0', SSH_ASKPASS_REQUIRE: 'prefer' }, true],
    [{ SSH_ASKPASS_REQUIRE: 'prefer' }, undefined],
    [{ SSH_ASKPASS_REQUIRE: 'FORCE' }, true],
    [{ DISPLAY: ':0', SSH_ASKPASS_REQUIRE: 'else' }, false],
  ];
  for (const [env, beforeTerminal] of cases) {
    const askpass = askpassOf({ SSH_ASKPASS: '/a', ...env });
    assert.equal(askpass?.beforeTerminal, beforeTerminal, JSON.stringify(env));
    assert.equal(askpassOf(env), undefined);
    assert.equal(askpassOf({ ...env, SSH_ASKPASS: '' }), undefined);
  }
});

test('its first line is the answer to a secret and to a line', onPosix, async (t) => {
  const prompt = createPrompt(asking(t, 'printf \'%s|%s \\nmore\\n\' "$#" "$1"'), () => undefined);
  assert.equal(await prompt.secret("it's $(a) \u001b: ", scope()), "1|it's $(a) \\x1b:  ");
  assert.equal(await prompt.line('sure? ', scope()), '1|sure?  ');
});

test('where it fails nobody answers, and where it cannot be started that is said', onPosix, async (t) => {
  const failing = createPrompt(asking(t, 'echo secret; exit 1'), () => undefined);
  assert.equal(await failing.secret('password: ', scope()), undefined);
  const wordy = createPrompt(asking(t, 'exec head -c 100000 /dev/zero'), () => undefined);
  assert.equal(await wordy.secret('password: ', scope()), undefined);
  const around = asking(t, '', { SSH_ASKPASS: '/nonexistent/askpass' });
  assert.equal(await createPrompt(around, () => undefined).secret('password: ', scope()), undefined);
  assert.equal(around.stderr.text(), 'xfer: SSH_ASKPASS /nonexistent/askpass: it cannot be started\n');
});

test('a terminal goes before it, unless it is required', onPosix, async (t) => {
  const input = Object.assign(new PassThrough(), { setRawMode: () => undefined });
  const terminal: Terminal = { input, output: captured(), release: () => undefined };
  const usual = createPrompt(asking(t, 'echo window'), () => terminal).secret('password: ', scope());
  input.write('typed\r');
  assert.equal(await usual, 'typed');
  for (const SSH_ASKPASS_REQUIRE of ['prefer', 'force']) {
    const prompt = createPrompt(asking(t, 'echo window', { SSH_ASKPASS_REQUIRE }), () => terminal);
    assert.equal(await prompt.secret('password: ', scope()), 'window');
  }
});

test('an abort ends the program', onPosix, async (t) => {
  const stop = new AbortController();
  const prompt = createPrompt(asking(t, 'exec sleep 15'), () => undefined);
  const answer = prompt.secret('password: ', { signal: stop.signal });
  const reason = new Error('enough');
  setTimeout(() => stop.abort(reason), 200);
  await assert.rejects(answer, reason);
});
