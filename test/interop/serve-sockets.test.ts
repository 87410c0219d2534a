/** `xfer serve` behind other people's programs: a service manager that hands sockets down, and a proxy that asks by one. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findProgram, needs } from '../support/peers.js';
import { runProgram, startProgram, startXfer, XFER } from '../support/run-xfer.js';

const bounded = { timeout: 20_000 };

function folder(t: TestContext): { above: string; root: string } {
  const above = mkdtempSync(join(tmpdir(), 'xfer-sockets-'));
  t.after(() => rmSync(above, { recursive: true, force: true }));
  const root = join(above, 'root');
  mkdirSync(root);
  writeFileSync(join(root, 'file'), 'hello');
  return { above, root };
}

const program = (name: string): string => findProgram(name) as string;

test('systemd starts it when somebody connects', {
  ...bounded,
  ...needs('systemd-socket-activate', 'curl'),
}, async (t) => {
  const { above, root } = folder(t);
  const path = join(above, 'a.sock');
  const words = ['-l', path, process.execPath, XFER, 'serve', root];
  const manager = startProgram(program('systemd-socket-activate'), words);
  t.after(() => manager.stop('SIGKILL'));
  await manager.waitForLine(/Listening on/);
  const got = await runProgram(program('curl'), ['-sS', '--unix-socket', path, 'http://localhost/file']);
  assert.equal(got.stdout.toString(), 'hello', got.stderr);
  await manager.waitForLine(/^serving on fd:3$/m);
  await manager.waitForLine(/^unix - - .* "GET \/file HTTP\/1\.1" 200 5$/m);
});

test('nginx passes requests on to its unix socket', { ...bounded, ...needs('nginx', 'curl') }, async (t) => {
  const { above, root } = folder(t);
  const [back, front] = [join(above, 'back.sock'), join(above, 'front.sock')];
  const xfer = startXfer(['serve', '--bind', back, root]);
  t.after(() => xfer.stop('SIGKILL'));
  await xfer.waitForLine(/^serving on unix:/m);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${above}/${kind};`,
  );
  writeFileSync(
    join(above, 'nginx.conf'),
    `daemon off; master_process off; pid ${above}/pid; error_log stderr; events {}
http { access_log off; ${paths.join(' ')}
server { listen unix:${front}; location / { proxy_pass http://unix:${back}:; } } }
`,
  );
  const nginx = startProgram(program('nginx'), ['-c', join(above, 'nginx.conf'), '-p', above]);
  t.after(() => nginx.stop('SIGTERM'));
  while (!existsSync(front) && nginx.child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
  const got = await runProgram(program('curl'), ['-sS', '--unix-socket', front, 'http://localhost/file']);
  assert.equal(got.stdout.toString(), 'hello', `${got.stderr}${nginx.output()}`);
  await xfer.waitForLine(/^unix - - .* "GET \/file HTTP\/1\.\d" 200 5$/m);
});
