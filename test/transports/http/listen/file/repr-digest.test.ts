import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { wantedAlgorithm } from '#xfer/transports/http/listen/file/repr-digest.js';
import { exchange, get, until } from '../rig.js';
import { BODY, serveBody } from './body-rig.js';

const digestOf = (algorithm: 'sha256' | 'sha512', text: string) => createHash(algorithm).update(text).digest('base64');
const SHA256 = `sha-256=:${digestOf('sha256', BODY)}:`;

test('Want-Repr-Digest is answered with the digest of the whole file, also for a range and for HEAD', async (t) => {
  const { port, url, source } = await serveBody(t);
  const digest = async (field: string, init: RequestInit & { headers?: Record<string, string> } = {}) => {
    const response = await fetch(`${url}/f.txt`, { ...init, headers: { ...init.headers, 'want-repr-digest': field } });
    await response.arrayBuffer();
    return [response.status, response.headers.get('repr-digest')];
  };
  assert.deepEqual(await digest('sha-256=10'), [200, SHA256]);
  assert.deepEqual(await digest('sha-256=1', { headers: { range: 'bytes=2-3' } }), [206, SHA256]);
  assert.deepEqual(await digest('sha-256=1', { headers: { range: 'bytes=0-0,5-6' } }), [206, SHA256]);
  const read = source.bytesRead;
  assert.deepEqual(await digest('sha-256=1', { method: 'HEAD' }), [200, SHA256]);
  assert.equal(source.bytesRead, read, 'it is kept for the version');
  assert.deepEqual(await digest('sha-512=9, sha-256=3'), [200, `sha-512=:${digestOf('sha512', BODY)}:`]);
  assert.deepEqual(await digest('md5=9, sha-256=0'), [200, null]);
  assert.deepEqual(await digest('sha-256=1', { headers: { range: 'bytes=99-' } }), [416, null], 'no bytes, no digest');
  assert.doesNotMatch(await get(port, '/f.txt'), /Repr-Digest/, 'nobody asked');
});

test('a file that changed just now is hashed each time', async (t) => {
  const { url, source } = await serveBody(t);
  for (let time = 0; time < 2; time += 1) {
    const opened = source.opened;
    const response = await fetch(`${url}/empty`, { method: 'HEAD', headers: { 'want-repr-digest': 'sha-256=1' } });
    assert.equal(response.headers.get('repr-digest'), `sha-256=:${digestOf('sha256', '')}:`);
    assert.equal(source.opened, opened + 1);
  }
});

test('a client that goes while its file is hashed ends the hashing', { timeout: 20_000 }, async (t) => {
  const { source, port } = await serveBody(t);
  const open = source.open?.bind(source);
  let destroyed = 0;
  source.open = async (path, scope) => {
    const file = await open?.(path, scope);
    assert.ok(file);
    const endless = () => {
      const stream = new Readable({ read: () => setImmediate(() => stream.push('more')) });
      return stream.once('close', () => {
        destroyed += 1;
      });
    };
    return { ...file, entry: { ...file.entry, version: 'another' }, read: endless, close: () => file.close() };
  };
  const { connect } = await import('node:net');
  const sockets = Array.from({ length: 4 }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) {
    socket.on('error', () => {});
    socket.write('HEAD /f.txt HTTP/1.1\r\nHost: test\r\nWant-Repr-Digest: sha-256=1\r\n\r\n');
  }
  await until(() => source.opened - source.closed === 4);
  const fifth = await exchange(
    port,
    'HEAD /f.txt HTTP/1.1\r\nHost: test\r\nConnection: close\r\nWant-Repr-Digest: sha-256=1\r\n\r\n',
  );
  assert.match(fifth, /^HTTP\/1\.1 200 /);
  assert.doesNotMatch(fifth, /Repr-Digest/, 'no more than four are hashed at once, and nobody waits for long');
  for (const socket of sockets) socket.destroy();
  await until(() => destroyed === 4 && source.opened === source.closed);
});

test('many who ask at once all get a digest', { timeout: 10_000 }, async (t) => {
  const { url, source } = await serveBody(t);
  const open = source.open?.bind(source);
  source.open = async (path, scope) => {
    const file = await open?.(path, scope);
    assert.ok(file);
    const slow = () => {
      const stream = new Readable({ read: () => setTimeout(() => stream.push(null), 20) });
      return stream;
    };
    return { ...file, entry: { ...file.entry, version: `${Math.random()}` }, read: slow, close: () => file.close() };
  };
  const asked = Array.from({ length: 40 }, () =>
    fetch(`${url}/empty`, { method: 'HEAD', headers: { 'want-repr-digest': 'sha-256=1' } }),
  );
  for (const response of await Promise.all(asked)) {
    assert.equal(response.headers.get('repr-digest'), `sha-256=:${digestOf('sha256', '')}:`);
  }
});

test('a client that has gone while its file was opened has nothing hashed', { timeout: 10_000 }, async (t) => {
  const { source, port, listener } = await serveBody(t);
  const open = source.open?.bind(source);
  let destroyed = 0;
  let isOpening = false;
  source.open = async (path, scope) => {
    const file = await open?.(path, scope);
    assert.ok(file);
    isOpening = true;
    await until(() => listener.transfers?.()?.length === 0);
    const endless = () => {
      const stream = new Readable({ read: () => setImmediate(() => stream.push('more')) });
      return stream.once('close', () => {
        destroyed += 1;
      });
    };
    return { ...file, entry: { ...file.entry, version: 'another' }, read: endless, close: () => file.close() };
  };
  const { connect } = await import('node:net');
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /f.txt HTTP/1.1\r\nHost: test\r\nWant-Repr-Digest: sha-256=1\r\n\r\n');
  await until(() => isOpening);
  socket.destroy();
  await until(() => destroyed === 1 && source.opened === source.closed);
});

test('Want-Repr-Digest is read within bounds', () => {
  assert.equal(wantedAlgorithm(undefined), undefined);
  assert.equal(wantedAlgorithm('sha-256=5,sha-512=5'), 'sha256', 'the first of equal weight');
  assert.equal(wantedAlgorithm(['sha-512=1', 'sha-256=2']), 'sha256');
  for (const field of ['sha-256', 'sha-256=', 'sha-256=-1', 'sha-256=100', 'SHA-256=1', 'sha-256 1', '=', ',,,']) {
    assert.equal(wantedAlgorithm(field), undefined, field);
  }
  assert.equal(wantedAlgorithm(`${'x=1,'.repeat(200)}sha-256=1`), undefined);
});
