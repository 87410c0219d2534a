/** What FRAMES.md says is what the code does: its vectors, its limits and its table of frames. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import {
  FRAME,
  type FrameKind,
  frameHeader,
  MOST_BODY_BYTES,
  MOST_CHUNK_BYTES,
  MOST_PUT_BYTES,
} from '#xfer/transports/tcp/sealed/frame.js';
import { formatKey, pskIdentity, pskOf } from '#xfer/transports/tcp/sealed/key.js';
import { MAGIC } from '#xfer/transports/tcp/sealed/magic.js';
import {
  encodeFailure,
  encodeHello,
  encodeOffer,
  encodeRanges,
  MOST_OFFERED,
  writeEntry,
} from '#xfer/transports/tcp/sealed/messages.js';
import { BodyWriter } from '../../../support/sealed.js';
import { commitBody, draftBody, entryBody, putBody, writeBody } from './requests.js';

const FILE = join(import.meta.dirname, '../../../../src/transports/tcp/sealed/FRAMES.md');
const text = readFileSync(FILE, 'utf8');

const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const session = Buffer.from('a0a1a2a3a4a5a6a7a8a9aaabacadaeaf', 'hex');
const capabilities = { offsets: true, atomic: true, resume: true, parallel: true, metadata: true };
const large = {
  path: 'dir/large',
  kind: 'file',
  size: 2 ** 40 + 1,
  mtimeMs: 1.5e12,
  mode: 0o644,
  version: 'v1',
} as const;
const link = { path: 'link', kind: 'symlink', target: 'dir/large' } as const;
const directory = { path: 'dir', kind: 'directory', mode: 0o755, mtimeMs: 0, atimeMs: 1 } as const;
const small = { path: 'caf\u00e9', kind: 'file', size: 2 } as const;

function frame(kind: FrameKind, id: number, body: Uint8Array = Buffer.alloc(0)): string {
  return Buffer.concat([frameHeader(kind, id, body.length), body]).toString('hex');
}

const offer = {
  things: [
    { name: 'dir', kind: 'directory' as const },
    { name: 'f', kind: 'file' as const, size: 3 },
  ],
  count: 3,
};
const sender = { version: 1, role: 'sender', session } as const;
const receiver = { version: 1, role: 'receiver', session, target: { identity: 'id', capabilities } } as const;
const found = writeEntry(new BodyWriter().u8(1), small).bytes();
const drafted = new BodyWriter()
  .u32(7)
  .u8(0)
  .raw(
    encodeRanges([
      { start: 0, end: 5 },
      { start: 9, end: 10 },
    ]),
  )
  .bytes();

const VECTORS: Record<string, string> = {
  'key as text': formatKey(key),
  'psk, the sender calls': pskOf(key, 'sender').toString('hex'),
  'psk, the receiver calls': pskOf(key, 'receiver').toString('hex'),
  'identity, the sender calls': pskIdentity('sender'),
  'identity, the receiver calls': pskIdentity('receiver'),
  magic: MAGIC.toString('hex'),
  'hello of a sender': frame(FRAME.hello, 0, encodeHello(sender)),
  'hello of a lane that joins': frame(FRAME.hello, 0, encodeHello({ ...sender, joins: true })),
  'hello of a receiver': frame(FRAME.hello, 0, encodeHello(receiver)),
  ping: frame(FRAME.ping, 0),
  offer: frame(FRAME.offer, 1, encodeOffer(offer)),
  stat: frame(FRAME.stat, 2, new BodyWriter().text('dir').bytes()),
  'done, found': frame(FRAME.done, 2, found),
  'create a link': frame(FRAME.create, 3, entryBody(link)),
  'finish a directory': frame(FRAME.finish, 4, entryBody(directory)),
  put: frame(FRAME.put, 5, putBody(small, Buffer.from('hi'), createHash('sha256').update('hi').digest())),
  draft: frame(FRAME.draft, 6, entryBody(large)),
  'done, drafted': frame(FRAME.done, 6, drafted),
  write: frame(FRAME.write, 8, writeBody(7, 5)),
  bytes: frame(FRAME.bytes, 8, Buffer.from('abcd')),
  end: frame(FRAME.end, 8),
  held: frame(FRAME.held, 8, new BodyWriter().u64(4).bytes()),
  done: frame(FRAME.done, 8),
  abort: frame(FRAME.abort, 9),
  digest: frame(FRAME.digest, 10, draftBody(7)),
  commit: frame(FRAME.commit, 11, commitBody(7, large)),
  suspend: frame(FRAME.suspend, 12, draftBody(7)),
  discard: frame(FRAME.discard, 13, draftBody(7)),
  lanes: frame(FRAME.lanes, 0, new BodyWriter().u8(3).bytes()),
  bye: frame(
    FRAME.bye,
    15,
    new BodyWriter()
      .u64(2)
      .u64(2 ** 40)
      .u64(0)
      .bytes(),
  ),
  failed: frame(FRAME.failed, 11, encodeFailure(new XferError('EXISTS', 'write f: taken', { hint: 'no' }))),
};

test('the vectors of FRAMES.md are what the code says', () => {
  const block = /```vectors\n(.*?)```/s.exec(text)?.[1] ?? '';
  const written = Object.fromEntries(
    block
      .trim()
      .split('\n')
      .map((line) => line.split(': ') as [string, string]),
  );
  if (process.env.XFER_WRITE_VECTORS)
    console.log(
      Object.entries(VECTORS)
        .map((pair) => pair.join(': '))
        .join('\n'),
    );
  assert.deepEqual(written, VECTORS);
});

test('each frame is in the table of FRAMES.md by its number, and no other', () => {
  const rows = [...text.matchAll(/^\| ([0-9a-f]{2}) \| (\w+) \|/gm)].map(([, number, name]) => [
    name,
    Number(`0x${number}`),
  ]);
  assert.deepEqual(Object.fromEntries(rows), { ...FRAME });
});

test('the limits of FRAMES.md are those of the code', () => {
  for (const limit of [MOST_BODY_BYTES, MOST_CHUNK_BYTES, MOST_PUT_BYTES]) {
    assert.ok(text.includes(`${limit.toLocaleString('en')}`), `${limit}`);
  }
  assert.ok(text.includes(`at most ${MOST_OFFERED} things`));
});
