/** Options of `xfer serve` that reach the listener through the command, and the README, which names each of them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { optionsOf } from '#xfer/cli/options.js';
import { type Started, startXfer } from '../../support/run-xfer.js';

const limit = { timeout: 30_000 };

/** What every command has. */
const COMMON = new Set(['quiet', 'verbose', 'help', 'version']);

function folder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'xfer-serve-options-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  writeFileSync(join(root, 'f'), 'hello');
  writeFileSync(join(root, '.hidden'), 'hidden');
  return root;
}

async function start(t: TestContext, root: string, ...args: string[]): Promise<{ served: Started; url: string }> {
  const served = startXfer(['serve', '-b', '127.0.0.1', ...args, root, '0']);
  t.after(() => served.stop('SIGKILL'));
  const [, url = ''] = await served.waitForLine(/^serving on (http:\S+)$/m);
  return { served, url };
}

async function statusOf(url: string, init: RequestInit = {}): Promise<number> {
  const answer = await fetch(url, init);
  await answer.arrayBuffer();
  return answer.status;
}

test('the README names each option where it tells of serving', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', '..', 'README.md'), 'utf8');
  const [start, end] = [text.indexOf('### `xfer serve --sftp`'), text.indexOf('\n## Sealed')];
  assert.ok(start > 0 && end > start);
  const told = new Set(text.slice(start, end).match(/--[a-z-]+/g));
  const missing = optionsOf('serve').filter(({ name }) => !COMMON.has(name) && !told.has(`--${name}`));
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  );
});

test('--hidden and --metrics serve what is not there without them', limit, async (t) => {
  const root = folder(t);
  const plain = await start(t, root);
  const more = await start(t, root, '--hidden', '--metrics');
  for (const [path, status] of Object.entries({ '.hidden': 200, metrics: 200, healthz: 200 })) {
    assert.equal(await statusOf(plain.url + path), 404, path);
    assert.equal(await statusOf(more.url + path), status, path);
  }
  assert.match(
    await (await fetch(`${more.url}metrics`)).text(),
    /^xfer_http_requests_total\{method="GET",code="200"\} /m,
  );
});

test('--max-downloads ends with the last of so many', limit, async (t) => {
  const { served, url } = await start(t, folder(t), '--max-downloads', '2');
  assert.equal(await statusOf(`${url}f`, { method: 'HEAD' }), 200);
  for (const _ of [1, 2]) assert.equal(await statusOf(`${url}f`), 200);
  assert.equal((await served.exited).exitCode, 0);
  assert.match(served.output(), /^serve: all 2 downloads were made, so it ends$/m);
});

test('--mdns says that nobody else could come where only this machine can', limit, async (t) => {
  const { served, url } = await start(t, folder(t), '--mdns');
  await served.waitForLine(/^not announced by mDNS: no other machine can reach this address$/m);
  assert.equal(await statusOf(url), 200);
});

test('--overwrite, --manage, --max-size and --quota are what uploads are held to', limit, async (t) => {
  const root = folder(t);
  mkdirSync(join(root, 'in'));
  const inbox = join(root, 'in');
  const put = (url: string, bytes: number): Promise<number> =>
    statusOf(url, { method: 'PUT', body: Buffer.alloc(bytes) });
  const closed = await start(t, inbox, '--upload');
  assert.deepEqual([await put(`${closed.url}a`, 10), await put(`${closed.url}a`, 10)], [201, 409]);
  assert.equal(await statusOf(`${closed.url}a`, { method: 'DELETE' }), 403);
  await closed.served.stop('SIGKILL');
  const options = ['--overwrite', '--manage', '--max-size', '1K', '--quota', '2K'];
  const { url } = await start(t, inbox, '--upload', ...options);
  assert.equal(await put(`${url}a`, 20), 204);
  assert.equal(await put(`${url}b`, 1025), 413);
  assert.deepEqual([await put(`${url}b`, 1024), await put(`${url}c`, 1024)], [201, 507]);
  assert.equal(await statusOf(`${url}b`, { method: 'MOVE', headers: { Destination: '/d' } }), 201);
  assert.equal(await statusOf(`${url}d`, { method: 'DELETE' }), 204);
  assert.deepEqual(readdirSync(inbox), ['a']);
});
