import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCommand } from '#xfer/cli/commands/index.js';
import { parseServeOperands } from '#xfer/cli/commands/serve.js';
import { parseArguments } from '#xfer/cli/parse.js';
import { typedBeforePort, whereItListens } from '#xfer/cli/serve/where.js';
import type { Surroundings } from '#xfer/cli/surroundings.js';
import { testSurroundings } from '../../support/surroundings.js';

async function where(words: readonly string[], given: Partial<Surroundings> = {}) {
  const parsed = parseArguments(await loadCommand('serve'), words);
  return whereItListens(parseServeOperands(parsed), parsed, testSurroundings({ platform: 'linux', ...given }));
}

const PIPE = '\\\\.\\pipe\\xfer';

test('addresses, sockets and pipes, each where its system has them', async () => {
  assert.deepEqual(await where([]), { port: 8000 });
  assert.deepEqual(await where(['--sftp']), { port: 2222 });
  assert.deepEqual(await where(['-b', '::1', '-b', '/run/x', '9000']), { hosts: ['::1', '/run/x'], port: 9000 });
  assert.deepEqual(await where(['-b', 'unix:x.sock'], { platform: 'darwin' }), { hosts: ['unix:x.sock'], port: 8000 });
  assert.deepEqual(await where(['-b', PIPE], { platform: 'win32' }), { hosts: [PIPE], port: 8000 });
  await assert.rejects(where(['-b', PIPE]), { code: 'UNSUPPORTED', hint: '--bind ./xfer.sock' });
  await assert.rejects(where(['-b', './x.sock'], { platform: 'win32' }), {
    code: 'UNSUPPORTED',
    hint: `--bind ${PIPE}`,
  });
});

test('an address may stand in brackets, and a port does not belong to it', async () => {
  assert.deepEqual(await where(['-b', '[::1]', '-b', '[fe80::1%eth0]']), {
    hosts: ['::1', 'fe80::1%eth0'],
    port: 8000,
  });
  assert.deepEqual(await where(['-b', '::1', '-b', '::', '-b', '1::2']), { hosts: ['::1', '::', '1::2'], port: 8000 });
  for (const [address, hint] of [
    ['127.0.0.1:8080', '--bind 127.0.0.1 --port 8080'],
    ['[::1]:8080', '--bind [::1] --port 8080'],
    ['localhost:80', '--bind localhost --port 80'],
    [':8080', '--port 8080'],
  ] as const) {
    await assert.rejects(where(['-b', address]), { code: 'USAGE', hint }, address);
  }
});

test('sockets that were handed down stand alone', async () => {
  const given = { inheritedSockets: [3, 4] };
  assert.deepEqual(await where(['.'], given), { descriptors: [3, 4], port: 8000 });
  for (const words of [['8000'], ['-p', '8000'], ['-b', '127.0.0.1']]) {
    await assert.rejects(where(words, given), { code: 'USAGE' }, words.join(' '));
  }
});

test('a hint has what was typed, without the options, which may hold a secret', async () => {
  const typed = async (...words: string[]): Promise<string> => {
    const parsed = parseArguments(await loadCommand('serve'), words);
    return typedBeforePort(parseServeOperands(parsed), parsed);
  };
  assert.equal(await typed(), 'xfer serve .');
  assert.equal(await typed('a.iso', 'photos', '8080'), 'xfer serve a.iso photos');
  assert.equal(await typed('-p', '8080', '--sftp', 'in'), 'xfer serve --sftp in');
  assert.equal(await typed('--auth', 'anna:secret', 'my photos', "it's"), "xfer serve … 'my photos' 'it'\\''s'");
  assert.doesNotMatch(await typed('a\u001bb'), /\u001b/);
});
