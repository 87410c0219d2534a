/** Python's own file server as the other end: HTTP/1.0, no ranges, a date as its only validator. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type TestContext, test } from 'node:test';
import { parseLocation } from '#xfer/location.js';
import type { Entry } from '#xfer/transport.js';
import { transport } from '#xfer/transports/http/index.js';
import { findProgram, needs } from '../support/peers.js';

const scope = { signal: AbortSignal.timeout(30_000) };

/** Starts `python3 -m http.server` on a free port, and gives its URL when it says that it listens. */
async function servePython(t: TestContext, folder: string): Promise<string> {
  const program = findProgram('python3') ?? 'python3';
  const options = ['-u', '-m', 'http.server', '0', '--bind', '127.0.0.1', '--directory', folder];
  const server = spawn(program, options, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  t.after(async () => {
    server.kill('SIGTERM');
    await ended;
  });
  const port = await new Promise<string>((resolve, reject) => {
    let said = '';
    server.stdout.setEncoding('utf8').on('data', (piece: string) => {
      said += piece;
      const match = /port (\d+) /.exec(said);
      if (match) resolve(match[1] as string);
    });
    server.once('exit', () => reject(new Error(`python3 ended: ${said}`)));
  });
  return `http://127.0.0.1:${port}`;
}

test('a file comes whole from python3 -m http.server, and a part is refused', {
  ...needs('python3'),
  timeout: 30_000,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'xfer-get-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const bytes = randomBytes(3_000_001);
  await writeFile(join(folder, 'a #1 é.bin'), bytes);
  await utimes(join(folder, 'a #1 é.bin'), 1_600_000_000, 1_600_000_000);
  const url = await servePython(t, folder);
  const location = parseLocation(`${url}/a%20%231%20%C3%A9.bin`);
  const source = await transport.openSource?.(location, {}, scope);
  assert.ok(source);
  t.after(() => source.close());
  const entries: Entry[] = [];
  for await (const entry of source.entries(scope)) entries.push(entry);
  const [entry] = entries;
  assert.ok(entry?.version);
  assert.equal(entry.size, bytes.length);
  assert.equal(entry.mtimeMs, 1_600_000_000_000);
  assert.equal(source.name, 'a #1 é.bin');
  assert.equal(source.capabilities.ranges, false);
  for (const _ of ['first', 'again']) {
    const hash = createHash('sha256');
    await pipeline(await source.read(entry, { start: 0 }, scope), hash);
    assert.equal(hash.digest('hex'), createHash('sha256').update(bytes).digest('hex'));
  }
  await assert.rejects(source.read(entry, { start: 1000 }, scope), { code: 'RANGE_IGNORED' });
  await assert.rejects(source.read(entry, { start: 10, end: 20 }, scope), { code: 'RANGE_IGNORED' });
  const missing = transport.openSource?.(parseLocation(`${url}/missing`), {}, scope);
  await assert.rejects(missing ?? Promise.resolve(), { code: 'NOT_FOUND' });
});
