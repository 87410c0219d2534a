import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { test } from 'node:test';
import { systemResolver } from '#xfer/transports/ssh/config/canonical-host.js';

/** A name as DNS writes it (RFC 1035, 3.1). */
function wireName(name: string): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  return Buffer.concat([...labels, Buffer.from([0])]);
}

function askedName(query: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; query[at] !== 0; at += 1 + (query[at] as number)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + (query[at] as number)));
  }
  return labels.join('.');
}

/** A name server on a loopback port that knows aliases alone. */
async function nameServer(aliases: Record<string, string>): Promise<Socket> {
  const server = createSocket('udp4');
  server.on('message', (query, from) => {
    const name = askedName(query);
    const target = Object.hasOwn(aliases, name) ? wireName(aliases[name] as string) : undefined;
    const header = Buffer.from([
      query[0] ?? 0,
      query[1] ?? 0,
      0x81,
      target ? 0x80 : 0x83,
      0,
      1,
      0,
      target ? 1 : 0,
      0,
      0,
      0,
      0,
    ]);
    const question = query.subarray(12, 12 + wireName(name).length + 4);
    const record = target ? [Buffer.from([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, target.length]), target] : [];
    server.send(Buffer.concat([header, question, ...record]), from.port, from.address);
  });
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  return server;
}

test('an alias is followed to its end, and not in a circle', { timeout: 20_000 }, async () => {
  const server = await nameServer({ 'a.example': 'b.example', 'b.example': 'c.example', x: 'y', y: 'x' });
  try {
    const { aliasOf, exists } = systemResolver([`127.0.0.1:${server.address().port}`]);
    assert.equal(await aliasOf('a.example'), 'c.example');
    assert.equal(await aliasOf('c.example'), undefined);
    assert.equal(await aliasOf('x'), undefined);
    assert.equal(await exists('localhost', 'any'), true);
  } finally {
    server.close();
  }
});
