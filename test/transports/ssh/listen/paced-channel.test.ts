import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { PacedChannel } from '#xfer/transports/ssh/listen/paced-channel.js';

/** A channel with an endless window above a socket that sends only when it is told to. */
function endless() {
  const socket = Object.assign(new EventEmitter(), { writableLength: 0, cork: () => {}, uncork: () => {} });
  const channel = new Duplex({
    read: () => {},
    write(chunk: Buffer, _encoding, callback) {
      socket.writableLength += chunk.length;
      callback();
    },
  });
  return { socket, channel };
}

test('no more is taken than the line does, until it drains', async () => {
  const { socket, channel } = endless();
  const paced = new PacedChannel(channel, socket);
  const block = Buffer.alloc(256 * 1024);
  let taken = 0;
  while (taken < 100 && paced.write(block)) {
    taken += 1;
    await new Promise(setImmediate);
  }
  while (taken < 100 && socket.writableLength <= 1 << 20) {
    paced.write(block);
    taken += 1;
    await new Promise(setImmediate);
  }
  assert.ok(taken < 10, `${taken} blocks`);
  const waits = socket.writableLength;
  await new Promise(setImmediate);
  assert.equal(socket.writableLength, waits);
  socket.writableLength = 0;
  socket.emit('drain');
  await new Promise(setImmediate);
  paced.destroy();
});

test('what comes waits for its reader, and the end of the channel is its own', async () => {
  const { socket, channel } = endless();
  const paced = new PacedChannel(channel, socket);
  for (let count = 0; count < 8; count++) channel.push(Buffer.alloc(64 * 1024));
  channel.push(null);
  await new Promise(setImmediate);
  assert.ok(channel.isPaused());
  let bytes = 0;
  for await (const chunk of paced) bytes += (chunk as Buffer).length;
  assert.equal(bytes, 8 * 64 * 1024);
  channel.destroy();
  await new Promise(setImmediate);
  assert.ok(paced.destroyed);
});
