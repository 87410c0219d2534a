import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProgram, needs } from '../../../../support/peers.js';
import { runProgram } from '../../../../support/run-xfer.js';
import { exchange, get, serve, temporaryFolder, until } from '../rig.js';
import { readExposition } from './exposition.js';

const bounded = { timeout: 10_000 };

async function scrape(url: string) {
  const response = await fetch(`${url}/metrics`);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  return readExposition(await response.text());
}

test('what changes something is no question of how the server is', bounded, async (t) => {
  const { port } = await serve(t, await temporaryFolder(t), { metrics: true, token: 'tokentokentokentoken-2345' });
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND', 'TRACE']) {
    const answer = await exchange(
      port,
      `${method} /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 421 /, method);
  }
  assert.match(await get(port, '/healthz'), /^HTTP\/1\.1 200 [\s\S]*ok\n$/);
});

test('requests are counted by method and code, and nothing that a client sends becomes a label', bounded, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'file'), 'x'.repeat(500));
  const { url, port } = await serve(t, folder, { metrics: true });
  await get(port, '/file');
  await get(port, '/file');
  await get(port, '/none"\\evil');
  for (const method of ['BREW', 'PURGE']) {
    // Node's parser knows only some methods; those that it does not know never become a request.
    await exchange(port, `${method} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  }
  await exchange(port, 'DELETE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  const families = await scrape(url);
  const requests = families.get('xfer_http_requests_total');
  assert.deepEqual(Object.fromEntries(requests?.samples ?? []), {
    'xfer_http_requests_total{method="GET",code="200"}': 2,
    'xfer_http_requests_total{method="GET",code="404"}': 1,
    'xfer_http_requests_total{method="OTHER",code="405"}': 1,
    'xfer_http_requests_total{method="DELETE",code="405"}': 1,
  });
  const duration = families.get('xfer_http_request_duration_seconds');
  assert.equal(duration?.samples.get('xfer_http_request_duration_seconds_count'), 5);
  const bytes = families.get('xfer_http_response_bytes_total')?.samples.get('xfer_http_response_bytes_total') ?? 0;
  assert.ok(bytes >= 1000 && bytes < 1200, `${bytes}`);
});

test('a transfer counts while it runs, and as aborted where the client goes', bounded, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'big'), Buffer.alloc(16 << 20));
  const { url, listener } = await serve(t, folder, { metrics: true });
  const aborted = new AbortController();
  const response = await fetch(`${url}/big`, { signal: aborted.signal });
  await response.body?.getReader().read();
  const value = async (name: string) => (await scrape(url)).get(name)?.samples.get(name);
  assert.equal(await value('xfer_http_transfers_in_progress'), 1);
  assert.ok(((await value('xfer_http_response_bytes_total')) ?? 0) > 0);
  assert.equal(await value('xfer_http_requests_aborted_total'), 0);
  aborted.abort();
  await until(() => listener.transfers?.().length === 0);
  assert.equal(await value('xfer_http_requests_aborted_total'), 1);
  assert.equal(await value('xfer_http_transfers_in_progress'), 0);
});

test('the process is told of too', bounded, async (t) => {
  const { url } = await serve(t, await temporaryFolder(t), { metrics: true });
  await fetch(url);
  const families = await scrape(url);
  const value = (name: string) => families.get(name)?.samples.get(name) ?? 0;
  assert.ok(value('process_cpu_seconds_total') > 0);
  assert.ok(value('process_resident_memory_bytes') > 1 << 20);
  const age = Date.now() / 1000 - value('process_start_time_seconds');
  assert.ok(age > 0 && age < 600, `${age}`);
  if (process.platform === 'linux') assert.ok(value('process_open_fds') > 3);
  const [build] = families.get('xfer_build_info')?.samples.keys() ?? [];
  assert.match(build ?? '', /^xfer_build_info\{version="\d+\.\d+\.\d+[^"]*",node="\d+\.\d+\.\d+[^"]*"\}$/);
});

test('without the option both are names like any other, and with it they stand before them', bounded, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'metrics'), 'mine');
  const plain = await serve(t, folder);
  assert.equal(await (await fetch(`${plain.url}/metrics`)).text(), 'mine');
  assert.equal((await fetch(`${plain.url}/healthz`)).status, 404);
  const told = await serve(t, folder, { metrics: true });
  assert.match(await (await fetch(`${told.url}/metrics?x=1`)).text(), /^# HELP /);
  const health = await fetch(`${told.url}/healthz`);
  assert.deepEqual([health.status, await health.text()], [200, 'ok\n']);
  assert.match(
    await exchange(told.port, 'HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
    /\r\n\r\n$/,
  );
  assert.equal((await fetch(`${told.url}/healthz`, { method: 'POST' })).status, 405);
  assert.match(await get(told.port, '/metrics/'), /^HTTP\/1\.1 404/);
  assert.match(await get(told.port, '/metricsX'), /^HTTP\/1\.1 404/);
});

test('promtool finds no fault', { ...needs('promtool'), ...bounded }, async (t) => {
  const { url } = await serve(t, await temporaryFolder(t), { metrics: true });
  await fetch(url);
  const input = await (await fetch(`${url}/metrics`)).text();
  const checked = await runProgram(findProgram('promtool') as string, ['check', 'metrics'], { input });
  assert.equal(checked.exitCode, 0, `${checked.stdout}${checked.stderr}`);
  assert.equal(`${checked.stdout}${checked.stderr}`, '');
});
