import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { entryOf, open, readText, scope, serve } from '../hostile-server.js';

const BODY = '0123456789';

test('Repr-Digest behind the body is kept', { timeout: 10_000 }, async (t) => {
  const sha256 = createHash('sha256').update(BODY).digest();
  let count = 0;
  const url = await serve(t, (_, response) => {
    count++;
    response.writeHead(200, { Trailer: 'Repr-Digest', ETag: '"v1"' });
    response.write(BODY);
    response.addTrailers({ 'Repr-Digest': `sha-256=:${sha256.toString('base64')}:` });
    response.end();
  });
  const source = await open(t, `${url}/f`);
  assert.equal(await readText(source), BODY);
  assert.equal(await source.digest?.(await entryOf(source), 'sha256', scope), sha256.toString('hex'));
  assert.equal(count, 1);
});

test('Content-Digest of the whole is stated as Repr-Digest is', { timeout: 10_000 }, async (t) => {
  const field = (text: string) => `sha-256=:${createHash('sha256').update(text).digest('base64')}:`;
  const url = await serve(t, (request, response) => {
    if (request.url === '/behind') response.writeHead(200, { Trailer: 'Content-Digest', ETag: '"v1"' });
    else response.setHeader('ETag', '"v1"').setHeader('Content-Digest', field(BODY));
    if (request.url === '/both') response.setHeader('Repr-Digest', field('another'));
    response.write(BODY);
    if (request.url === '/behind') response.addTrailers({ 'Content-Digest': field(BODY) });
    response.end();
  });
  const statedFor = async (path: string) => {
    const source = await open(t, url + path);
    assert.equal(await readText(source), BODY);
    return source.stated?.(await entryOf(source))[0]?.hex(scope);
  };
  const hexOf = (text: string) => createHash('sha256').update(text).digest('hex');
  assert.equal(await statedFor('/before'), hexOf(BODY));
  assert.equal(await statedFor('/behind'), hexOf(BODY));
  assert.equal(await statedFor('/both'), hexOf('another'));
});

test('Repr-Digest is given where the server has one', { timeout: 10_000 }, async (t) => {
  const hash = createHash('sha256').update(BODY);
  const sha256 = hash.digest();
  const url = await serve(t, (request, response) => {
    const wanted = request.headers['want-repr-digest'];
    if (request.url === '/asked' && wanted === 'sha-256=10' && request.method === 'HEAD') {
      response.setHeader('Repr-Digest', `sha-256=:${sha256.toString('base64')}:`);
    }
    response.setHeader('ETag', request.url === '/changed' && request.method === 'HEAD' ? '"v2"' : '"v1"').end(BODY);
  });
  const digest = async (path: string, algorithm: 'sha256' | 'sha512' = 'sha256') => {
    const source = await open(t, url + path);
    return source.digest?.(await entryOf(source), algorithm, scope);
  };
  assert.equal(await digest('/asked'), sha256.toString('hex'));
  await assert.rejects(digest('/asked', 'sha512'), { code: 'UNSUPPORTED' });
  await assert.rejects(digest('/none'), { code: 'UNSUPPORTED' });
  await assert.rejects(digest('/changed'), { code: 'SOURCE_CHANGED' });
});

test('a digest is asked for before the file, and one that nobody answers is not stated', {
  timeout: 10_000,
}, async (t) => {
  const sha256 = createHash('sha256').update(BODY).digest();
  const asked: string[] = [];
  const url = await serve(t, (request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['want-repr-digest'] ?? ''}`);
    if (request.method === 'HEAD' && request.url === '/gone') return void request.socket.destroy();
    if (request.method === 'HEAD') response.setHeader('Repr-Digest', `sha-256=:${sha256.toString('base64')}:`);
    response.setHeader('ETag', '"v1"').end(BODY);
  });
  const statedFor = async (path: string) => {
    const source = await open(t, url + path, { asksDigest: true });
    assert.equal(await readText(source), BODY);
    const [digest] = source.stated?.(await entryOf(source)) ?? [];
    return digest?.hex(scope);
  };
  assert.equal(await statedFor('/f'), sha256.toString('hex'));
  assert.deepEqual(asked.toSorted(), ['GET /f ', 'HEAD /f sha-256=10']);
  assert.equal(await statedFor('/gone'), undefined);
});
