/** `--retry`: how often a download that makes no headway is tried again. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runXfer } from '../support/run-xfer.js';

const LENGTH = 100_000;

test('a server that always hangs up is asked once, and as often again as --retry says', {
  timeout: 60_000,
}, async (t) => {
  let asked = 0;
  const server = createServer((request, response) => {
    if (request.method === 'GET') asked += 1;
    response.writeHead(200, { 'content-length': LENGTH, etag: '"v1"', 'accept-ranges': 'bytes' });
    if (request.method === 'GET') response.flushHeaders();
    if (request.method === 'GET') setImmediate(() => response.destroy());
    else response.end();
  });
  const folder = mkdtempSync(join(tmpdir(), 'xfer-retry-'));
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
  const count = async (...words: string[]): Promise<number> => {
    asked = 0;
    const { exitCode, stderr } = await runXfer(['get', ...words, '-o', join(folder, 'file'), url]);
    assert.equal(exitCode, 5, stderr);
    assert.equal(readdirSync(folder).includes('file'), false);
    return asked;
  };
  const alone = await count('--retry', '0');
  assert.equal((await count('--retry', '1')) - alone, 1);
  assert.equal((await count('--retry=2')) - alone, 2);
});
