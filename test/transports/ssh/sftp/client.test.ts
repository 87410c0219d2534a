import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import { MAX_PACKET_BYTES, PACKET, STATUS } from '#xfer/transports/ssh/sftp/codec.js';
import { failsWith } from '../../../support/fails-with.js';
import { HostileServer, uint32 } from '../hostile-server.js';

const scope = { signal: new AbortController().signal };
const timeout = 20_000;

test('text before the first packet is told for what it is', { timeout }, async () => {
  const server = new HostileServer();
  const client = server.connect();
  server.raw(Buffer.from('Have a nice day\n'));
  await assert.rejects(client, failsWith('PROTOCOL', /starts with the text "Have"/));
});

test('a packet longer than any server sends ends the session', { timeout }, async () => {
  const server = new HostileServer();
  const client = await server.connect();
  const asked = client.stat(Buffer.from('x'), scope);
  server.raw(uint32(MAX_PACKET_BYTES + 1));
  await assert.rejects(asked, failsWith('PROTOCOL'));
  await assert.rejects(client.stat(Buffer.from('x'), scope), failsWith('PROTOCOL'));
});

test('what was never asked is not answered; a packet that is too short is refused', { timeout }, async () => {
  for (const type of [PACKET.STATUS, PACKET.ATTRS]) {
    const server = new HostileServer();
    const client = await server.connect();
    server.lie = ({ id }) => {
      if (type === PACKET.STATUS) server.status(id + 7, STATUS.OK);
      else server.reply(PACKET.ATTRS, id, 1, 5);
      return true;
    };
    await assert.rejects(client.stat(Buffer.from('x'), scope), failsWith('PROTOCOL'));
  }
});

test('a connection that ends rejects all that waits, and all that comes after', { timeout }, async () => {
  const server = new HostileServer();
  const client = await server.connect();
  server.lie = () => true;
  const waiting = [client.stat(Buffer.from('a'), scope), client.realpath(Buffer.from('b'), scope)];
  const settled = Promise.allSettled(waiting);
  server.hangUp();
  for (const result of await settled) {
    assert.equal(result.status, 'rejected');
    failsWith('DISCONNECTED')(result.reason);
  }
  await assert.rejects(client.stat(Buffer.from('c'), scope), failsWith('DISCONNECTED'));
});

test('a given-up OPEN is closed when its handle comes late', { timeout }, async () => {
  const server = new HostileServer();
  const client = await server.connect();
  const stop = new AbortController();
  const reason = new Error('stop');
  let answer = () => undefined as unknown;
  const asked = new Promise<void>((resolve) => {
    server.lie = (request) => {
      if (request.type !== PACKET.OPEN) return false;
      answer = () => server.reply(PACKET.HANDLE, request.id, 'late');
      resolve();
      return true;
    };
  });
  const opening = client.open(Buffer.from('x'), 1, {}, { signal: stop.signal });
  await asked;
  stop.abort(reason);
  await assert.rejects(opening, reason);
  server.open.set('late', 'x');
  answer();
  await client.realpath(Buffer.from('.'), scope);
  await client.realpath(Buffer.from('.'), scope);
  assert.equal(server.open.size, 0);
});

test("a status speaks by its code, and the server's words come out printable and short", { timeout }, async () => {
  const server = new HostileServer();
  const client = await server.connect();
  const cases: [number, string, string][] = [
    [STATUS.NO_SUCH_FILE, 'x', 'NOT_FOUND'],
    [STATUS.PERMISSION_DENIED, 'x', 'DENIED'],
    [STATUS.OP_UNSUPPORTED, 'x', 'UNSUPPORTED'],
    [STATUS.FAILURE, 'No space left on device', 'NO_SPACE'],
    [STATUS.FAILURE, '\x1b[2Jevil\r\n', 'DENIED'],
  ];
  for (const [status, message, expected] of cases) {
    server.lie = ({ id }) => {
      server.status(id, status, message + 'x'.repeat(5000));
      return true;
    };
    const error = await client.stat(Buffer.from('f'), scope).catch((reason: unknown) => reason);
    assert.ok(error instanceof XferError);
    assert.equal(error.code, expected);
    assert.doesNotMatch(error.message, /[\x00-\x1f\x7f]/);
    assert.ok(error.message.length < 300);
  }
});

test('limits of the server are kept in whole pages, and lies about them bounded', { timeout }, async () => {
  const server = new HostileServer();
  server.extensions = { 'limits@openssh.com': '1' };
  const limits = (packet: number, read: number, write: number, handles: number) =>
    Buffer.concat([packet, read, write, handles].flatMap((value) => [uint32(0), uint32(value)]));
  server.lie = ({ type, id }) => {
    if (type !== PACKET.EXTENDED) return false;
    server.reply(PACKET.EXTENDED_REPLY, id, limits(34_000, 4_000_000_000, 20_000, 5));
    return true;
  };
  const client = await server.connect();
  await client.settled;
  assert.deepEqual(client.limits, { readBytes: 32_768, writeBytes: 16_384, openHandles: 5 });
});

test('a version that is too old is refused', { timeout }, async () => {
  const server = new HostileServer();
  server.lie = ({ type }) => {
    if (type === PACKET.INIT) server.raw(Buffer.concat([uint32(5), Buffer.of(PACKET.VERSION), uint32(2)]));
    return true;
  };
  await assert.rejects(server.connect(), failsWith('UNSUPPORTED'));
});
