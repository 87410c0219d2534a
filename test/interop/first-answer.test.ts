/** A server that is reached and does not answer at first: asked again by every command that names a URL. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { runXfer } from '../support/run-xfer.js';

const LIMIT = { timeout: 120_000 };
const BYTES = Buffer.alloc(50_000, 'bytes of a file\n');
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

type Answer = (response: ServerResponse) => void;

/** The ways not to answer that may pass (RFC 9110 15.5.9, 15.6, RFC 6585 4). */
const NOT_NOW: Record<string, Answer> = {
  reset: (response) => response.socket?.resetAndDestroy(),
  'a closed connection': (response) => response.socket?.end(),
  'half a header': (response) => response.socket?.end('HTTP/1.1 200 OK\r\nContent-Le'),
  408: (response) => response.writeHead(408).end(),
  429: (response) => response.writeHead(429, { 'retry-after': '1' }).end(),
  500: (response) => response.writeHead(500).end(),
  502: (response) => response.writeHead(502).end(),
  503: (response) => response.writeHead(503).end(),
  504: (response) => response.writeHead(504).end(),
};

interface Server {
  readonly url: string;
  /** Methods that were asked for, and when. */
  readonly asked: { readonly method: string; readonly atMs: number }[];
  readonly taken: Map<string, Buffer>;
  /** So many requests are not answered. */
  refuse(requests: number, by: Answer): void;
}

/** Gives a file and takes files by PUT, once it answers. */
async function startServer(t: TestContext): Promise<Server> {
  const asked: { method: string; atMs: number }[] = [];
  const taken = new Map<string, Buffer>();
  let left = 0;
  let refusal: Answer = () => {};
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    asked.push({ method: request.method ?? '', atMs: performance.now() });
    left -= 1;
    if (left >= 0) return refusal(response);
    const path = request.url ?? '';
    if (request.method === 'PUT') {
      taken.set(path, await buffer(request));
      response.writeHead(201).end();
    } else if (request.method === 'OPTIONS') response.writeHead(204, { allow: 'GET, HEAD, OPTIONS, PUT' }).end();
    else if (path === '/SHA256SUMS') response.end(`${SHA256}  file\n`);
    else if (path === '/file') response.writeHead(200, { 'content-length': BYTES.length, etag: '"v1"' }).end(BYTES);
    else response.writeHead(404).end();
  };
  const server = createServer((request, response) => void answer(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    taken,
    refuse(requests, by) {
      [left, refusal] = [requests, by];
      asked.length = 0;
    },
  };
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-first-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

for (const [how, answer] of Object.entries(NOT_NOW)) {
  test(`get: ${how} at first is asked again, and what comes is whole`, LIMIT, async (t) => {
    const server = await startServer(t);
    const file = join(folderOf(t), 'file');
    server.refuse(2, answer);
    const { exitCode, stderr } = await runXfer(['get', '-o', file, `${server.url}/file`]);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(readFileSync(file), BYTES);
    assert.equal(server.asked.length, 3);
    assert.match(stderr, /try 2 in /);
  });

  test(`get: ${how} for ever ends after the tries that --retry gives`, LIMIT, async (t) => {
    const server = await startServer(t);
    const file = join(folderOf(t), 'file');
    for (const [words, tries] of [
      [['--retry', '0'], 1],
      [['--retry', '1'], 2],
    ] as const) {
      server.refuse(100, answer);
      const { exitCode } = await runXfer(['get', ...words, '-o', file, `${server.url}/file`]);
      assert.equal(exitCode, 5);
      assert.equal(server.asked.length, tries);
      assert.equal(existsSync(file), false);
    }
  });
}

test('the time that Retry-After gives is waited', LIMIT, async (t) => {
  const server = await startServer(t);
  const file = join(folderOf(t), 'file');
  server.refuse(1, NOT_NOW[429] as Answer);
  assert.equal((await runXfer(['get', '-o', file, `${server.url}/file`])).exitCode, 0);
  const [first, second] = server.asked;
  assert.ok(first && second && second.atMs - first.atMs >= 990, 'asked again too early');
});

test('get -r, several URLs, lists of digests, cp and put are asked again as well', LIMIT, async (t) => {
  const server = await startServer(t);
  const own = join(folderOf(t), 'own');
  writeFileSync(own, BYTES);
  const url = `${server.url}/file`;
  const linesInto = (folder: string): string[][] => [
    ['get', '-r', '-o', join(folder, 'tree'), url],
    ['get', '-o', folder, '--overwrite', url, url],
    ['get', '-o', join(folder, 'listed'), '--checksum-url', `${server.url}/SHA256SUMS`, url],
    ['get', '-o', join(folder, 'beside'), '--checksums', url],
    ['cp', url, join(folder, 'copied')],
    ['put', own, `${server.url}/new`],
    ['cp', own, `${server.url}/newer`],
  ];
  for (const how of ['reset', '503']) {
    for (const line of linesInto(folderOf(t))) {
      server.refuse(1, NOT_NOW[how] as Answer);
      const { exitCode, stderr } = await runXfer(line);
      assert.equal(exitCode, 0, `${how}: ${line.join(' ')}: ${stderr}`);
      assert.match(stderr, /try 2 in /, `${how}: ${line.join(' ')}`);
    }
  }
  assert.deepEqual([...server.taken.keys()].sort(), ['/new', '/newer']);
  for (const bytes of server.taken.values()) assert.deepEqual(bytes, BYTES);
});

test('where nobody listens, or the server says no, there is no second try', LIMIT, async (t) => {
  const server = await startServer(t);
  const file = join(folderOf(t), 'file');
  for (const status of [401, 403, 404, 501]) {
    server.refuse(100, (response) => response.writeHead(status).end());
    const { exitCode } = await runXfer(['get', '-o', file, `${server.url}/file`]);
    assert.notEqual(exitCode, 0);
    assert.equal(server.asked.length, 1, `${status}`);
  }
  const closed = await runXfer(['get', '-o', file, 'http://127.0.0.1:1/file']);
  assert.equal(closed.exitCode, 5);
  assert.doesNotMatch(closed.stderr, /try 2/);
});
