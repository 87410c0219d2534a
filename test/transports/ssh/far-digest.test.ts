import assert from 'node:assert/strict';
import { Duplex, PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { bytesFromName } from '#xfer/names.js';
import type { Carrier } from '#xfer/transports/ssh/carriers/carrier.js';
import { farDigest } from '#xfer/transports/ssh/far-digest.js';
import { ReadyCarrier } from './carried.js';

const scope = { signal: new AbortController().signal };
const HEX = 'ab'.repeat(32);

/** A machine whose every command prints this and ends so. */
function machine(answer: string | Buffer, exitCode: number | null = 0): { carrier: Carrier; commands: string[] } {
  const commands: string[] = [];
  const carrier = Object.assign(new ReadyCarrier([]), {
    execute: async (command: string) => {
      commands.push(command);
      // What is asked ends its own side at once, which the answer does not hear of.
      const stream = Duplex.from({ readable: Readable.from([answer]), writable: new PassThrough() });
      return { stream, stderr: Readable.from([]), exitCode: Promise.resolve(exitCode) };
    },
  });
  return { carrier, commands };
}

test('the answer of sha256sum is the digest, also where the name is escaped', async () => {
  for (const answer of [`${HEX}  /a b\n`, `\\${HEX}  /a\\nb\n`, `${HEX} */a\n`]) {
    const { carrier, commands } = machine(answer);
    assert.equal(await farDigest(carrier, Buffer.from("/a'b"), 'sha256', scope), HEX);
    assert.deepEqual(commands, ["sha256sum -- '/a'\\''b' || shasum -a 256 -- '/a'\\''b'"]);
  }
});

test('what is no digest, or comes from a command that failed, is none', async () => {
  const odd = [
    '',
    'motd\n',
    `motd\n${HEX}  /a\n`,
    `${HEX}ab  /a\n`,
    HEX.slice(2),
    `${HEX}\n`,
    Buffer.alloc(10 << 20, 'a'),
  ];
  for (const answer of odd)
    assert.equal(await farDigest(machine(answer).carrier, Buffer.from('/a'), 'sha256', scope), undefined);
  for (const exitCode of [1, 127, null]) {
    assert.equal(
      await farDigest(machine(`${HEX}  /a\n`, exitCode).carrier, Buffer.from('/a'), 'sha256', scope),
      undefined,
    );
  }
});

test('nothing is run for a name that is no text, nor where nothing can be run', async () => {
  const { carrier, commands } = machine(`${HEX}  /a\n`);
  assert.equal(await farDigest(carrier, bytesFromName('/odd\udcff'), 'sha256', scope), undefined);
  assert.deepEqual(commands, []);
  assert.equal(await farDigest(new ReadyCarrier([]), Buffer.from('/a'), 'sha256', scope), undefined);
});
