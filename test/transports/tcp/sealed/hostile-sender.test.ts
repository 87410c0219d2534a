/** A sender that holds the key, and means harm: the attacks T1 to T13 and T16 of other programs' histories. */
import assert from 'node:assert/strict';
import { mkdirSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { XferError } from '#xfer/errors.js';
import { openLocalSink } from '#xfer/transports/local/sink.js';
import { frameHeader, MOST_BODY_BYTES } from '#xfer/transports/tcp/sealed/frame.js';
import { encodeHello, encodeOffer } from '#xfer/transports/tcp/sealed/messages.js';
import type { ReceivePolicy } from '#xfer/transports/tcp/sealed/receive/policy.js';
import { type Disk, openDisk } from '../../../conformance/disk.js';
import { type Fixture, patternBytes } from '../../../support/fixtures.js';
import { HOSTILE_PATHS } from '../../../support/hostile-names.js';
import {
  ANYTHING,
  BodyWriter,
  callAsSender,
  callFreely,
  FRAME,
  type FreePeer,
  failureOf,
  offering,
  type Receiving,
  senderHello,
  startReceiving,
} from '../../../support/sealed.js';
import { commitBody, draft, draftBody, entryBody, file, outcome, put, putBody, writeBody } from './requests.js';

const LIMIT = { timeout: 30_000 };
const OLD = Buffer.from('the old one');

interface Scene {
  readonly disk: Disk;
  readonly receiving: Receiving;
  readonly peer: FreePeer;
  /** What the receiver was told of things that failed. */
  readonly failed: XferError[];
}

interface SceneOptions {
  readonly policy?: ReceivePolicy;
  /** Below the disk's root. */
  readonly target?: string;
}

/** A receiver in a fresh directory, and a sender whose offer it took. Whatever happens, nothing beside the root changes. */
async function scene(
  existing: readonly Fixture[],
  run: (scene: Scene) => Promise<void>,
  options: SceneOptions = {},
): Promise<void> {
  const disk = await openDisk(existing);
  const outside = await disk.outside();
  const failed: XferError[] = [];
  const sink = await openLocalSink(join(disk.root, options.target ?? ''));
  const events = { onOffer: async () => true, onFailed: (_path: string, error: XferError) => void failed.push(error) };
  const receiving = await startReceiving(sink, { policy: options.policy ?? {}, events, keep: true });
  const peer = await callAsSender(receiving.port);
  try {
    await run({ disk, receiving, peer, failed });
    assert.deepEqual(await disk.outside(), outside, 'nothing is made beside the target');
  } finally {
    peer.close();
    await receiving.stop();
    await disk.remove();
  }
}

test('T1: two files of one name, and one of a name that is there', LIMIT, () =>
  scene([{ path: 'there', bytes: OLD }], async ({ disk, peer }) => {
    assert.equal(await put(peer, 2, 'twice', Buffer.from('first')), 'done');
    assert.equal(await put(peer, 3, 'twice', Buffer.from('other')), 'EXISTS', 'as long as the first');
    assert.equal(await put(peer, 4, 'twice', Buffer.from('longer than it')), 'EXISTS');
    assert.equal(await put(peer, 5, 'there'), 'EXISTS');
    assert.equal(await put(peer, 6, 'there', Buffer.alloc(OLD.length)), 'EXISTS');
    assert.equal(await put(peer, 7, 'there', OLD), 'done', 'the very same bytes are as good as sent');
    for (const [id, size] of [[8, OLD.length + 1] as const, [9, 0] as const]) {
      assert.equal(await outcome(peer, FRAME.draft, id, entryBody(file('there', size))), 'EXISTS');
    }
    assert.equal((await disk.read('twice'))?.toString(), 'first');
    assert.deepEqual(await disk.read('there'), OLD);
    assert.deepEqual((await disk.list()).sort(), ['there', 'twice']);
  }),
);

test('T1: a file that got its name while another was on its way stays', LIMIT, () =>
  scene([], async ({ disk, peer }) => {
    const entry = file('race', 4);
    const number = await draft(peer, 2, entry);
    peer.send(FRAME.write, 3, writeBody(number, 0));
    peer.send(FRAME.bytes, 3, Buffer.from('sent'));
    assert.equal(await outcome(peer, FRAME.end, 3, Buffer.alloc(0)), 'done');
    await disk.put({ path: 'race', bytes: OLD });
    assert.equal(await outcome(peer, FRAME.commit, 4, commitBody(number, entry)), 'EXISTS');
    assert.equal(await outcome(peer, FRAME.discard, 5, draftBody(number)), 'done', 'it can still be ended');
    assert.deepEqual(await disk.read('race'), OLD);
    assert.deepEqual(await disk.list(), ['race']);
  }),
);

test('T1: directories that are there keep their modes, and their files', LIMIT, () =>
  scene([{ path: 'kept/inner', bytes: OLD }], async ({ disk, peer }) => {
    const sink = await openLocalSink(disk.root);
    const scope = { signal: new AbortController().signal };
    const before = (await sink.stat('kept', scope))?.mode;
    const directory = { path: 'kept', kind: 'directory', mode: 0o777, mtimeMs: 0 } as const;
    assert.equal(await outcome(peer, FRAME.create, 2, entryBody(directory)), 'done');
    assert.equal(await outcome(peer, FRAME.finish, 3, entryBody(directory)), 'done');
    assert.equal((await sink.stat('kept', scope))?.mode, before);
    assert.equal(await outcome(peer, FRAME.create, 4, entryBody({ ...directory, path: 'kept/inner' })), 'EXISTS');
    assert.equal(await outcome(peer, FRAME.create, 5, entryBody({ ...directory, path: 'made', mode: 0o700 })), 'done');
    assert.equal(await outcome(peer, FRAME.finish, 6, entryBody({ ...directory, path: 'made', mode: 0o500 })), 'done');
    assert.equal((await sink.stat('made', scope))?.mode, 0o500, 'one that it made itself has the mode that it says');
    assert.deepEqual(await disk.read('kept/inner'), OLD);
  }),
);

const DOT_NAMES = ['.ssh/authorized_keys', '.bashrc', '.config/autostart/x.desktop', '.git/hooks/post-checkout', '.x'];

test('T2: names that begin with a dot at the top', LIMIT, async () => {
  await scene([{ path: '.ssh', kind: 'directory' }], async ({ disk, peer }) => {
    for (const [at, name] of DOT_NAMES.entries()) {
      assert.equal(await put(peer, 10 + at, name), 'UNSAFE_PATH', name);
      assert.equal(await outcome(peer, FRAME.draft, 30 + at, entryBody(file(name, 4))), 'UNSAFE_PATH', name);
      const link = { path: name, kind: 'symlink', target: 'x' } as const;
      assert.equal(await outcome(peer, FRAME.create, 50 + at, entryBody(link)), 'UNSAFE_PATH', name);
    }
    assert.deepEqual(await disk.list(), ['.ssh']);
  });
  const allowed = { policy: { dotfiles: true } };
  await scene([], async ({ peer }) => assert.equal(await put(peer, 2, '.bashrc'), 'done'), allowed);
});

test('T2: a name that was not offered ends the connection', LIMIT, () =>
  scene([], async ({ disk, receiving, peer }) => {
    peer.close();
    const other = await callAsSender(receiving.port, offering('photos', 'notes'));
    assert.equal(await put(other, 2, 'photos/a'), 'NOT_FOUND', 'offered, and its directory is not there yet');
    assert.equal(await put(other, 3, 'evil'), 'PROTOCOL');
    await other.closed;
    assert.deepEqual(await disk.list(), []);
  }),
);

test('T3: control characters in names are refused, and never printed', LIMIT, () =>
  scene([], async ({ disk, peer, failed }) => {
    const names = ['\u001b]0;owned\u0007', '\u001b[2K', '\u009b31m', 'bell\u0007', 'cr\rlf\n', 'x'.repeat(4096)];
    for (const [at, name] of names.entries()) {
      const answer = await peer.ask(FRAME.put, 2 + at, putBody(file(name, 4), Buffer.from('sent')));
      assert.equal(failureOf(answer)?.code, 'UNSAFE_PATH', JSON.stringify(name));
      assert.doesNotMatch(answer?.body.toString('latin1').slice(2) ?? '', /[\x1b\x07\x9b\r\n]/);
    }
    assert.equal(failed.length, names.length);
    for (const { message, hint } of failed) assert.doesNotMatch(message + (hint ?? ''), /[\p{Cc}\u202e]/u);
    assert.deepEqual(await disk.list(), []);
  }),
);

test('T8: lengths and counts that would take all memory end the connection at once', LIMIT, () =>
  scene([], async ({ receiving, peer: first, disk }) => {
    first.close();
    const huge = Buffer.alloc(4, 0xff);
    const evil: [string, (peer: FreePeer) => void][] = [
      ['a frame of 4 GiB', (peer) => void peer.socket.write(Buffer.concat([huge, Buffer.of(FRAME.stat, 0, 0, 0, 2)]))],
      ['a chunk of 4 GiB', (peer) => void peer.socket.write(Buffer.concat([huge, Buffer.of(FRAME.bytes, 0, 0, 0, 2)]))],
      ['a kind that is none', (peer) => void peer.socket.write(Buffer.of(0, 0, 0, 0, 0x77, 0, 0, 0, 2))],
      ['one byte too many', (peer) => void peer.socket.write(frameHeader(FRAME.stat, 2, MOST_BODY_BYTES + 1))],
      ['a name of 64 KiB', (peer) => peer.send(FRAME.stat, 2, Buffer.of(0xff, 0xff, 1, 2))],
      ['bytes left over', (peer) => peer.send(FRAME.stat, 2, Buffer.of(0, 1, 0x61, 0))],
      ['an entry cut short', (peer) => peer.send(FRAME.draft, 2, Buffer.of(0, 1, 0, 1, 0x61))],
      ['a size of 2^63', (peer) => peer.send(FRAME.draft, 2, Buffer.of(0, 1, 0, 1, 0x61, 0x80, 0, 0, 0, 0, 0, 0, 0))],
      ['a write to no draft', (peer) => peer.send(FRAME.write, 2, writeBody(9, 0))],
      ['an answer', (peer) => peer.send(FRAME.held, 2, Buffer.alloc(8))],
      ['a second hello', (peer) => peer.send(FRAME.hello, 0, encodeHello(senderHello()))],
    ];
    for (const [what, say] of evil) {
      const peer = await callAsSender(receiving.port);
      say(peer);
      const told = failureOf(await peer.next());
      assert.equal(told?.code, 'PROTOCOL', `${what}: ${told?.message}`);
      await peer.closed;
    }
    const peer = await callFreely(receiving.port, 'sender');
    await peer.ask(FRAME.hello, 0, encodeHello(senderHello()));
    const offer = new BodyWriter().u32(10_000_000).u16(60_000).bytes();
    assert.equal(await outcome(peer, FRAME.offer, 1, offer), 'PROTOCOL', 'ten million things');
    assert.deepEqual(await disk.list(), []);
  }),
);

test('T8: nothing is done before an offer was taken', LIMIT, () =>
  scene([], async ({ receiving, peer: first, disk }) => {
    first.close();
    const peer = await callFreely(receiving.port, 'sender');
    await peer.ask(FRAME.hello, 0, encodeHello(senderHello()));
    assert.equal(await put(peer, 1, 'early'), 'PROTOCOL');
    await peer.closed;
    assert.deepEqual(await disk.list(), []);
  }),
);

test('T9: links out of the target are neither followed nor made', LIMIT, () =>
  scene([], async ({ disk, peer }) => {
    symlinkSync('..', join(disk.root, 'up'));
    assert.equal(await put(peer, 2, 'up/evil'), 'UNSAFE_PATH');
    assert.equal(await outcome(peer, FRAME.draft, 3, entryBody(file('up/evil', 4))), 'UNSAFE_PATH');
    assert.equal(
      await outcome(peer, FRAME.create, 4, entryBody({ path: 'up/evil', kind: 'directory' })),
      'UNSAFE_PATH',
    );
    const targets = ['/etc', '..', '../x', 'a/../../x', 'a/b/../../../x', 'C:\\x', '\\\\server\\share', ''];
    for (const [at, target] of targets.entries()) {
      const link = { path: `link${at}`, kind: 'symlink', target } as const;
      assert.equal(await outcome(peer, FRAME.create, 10 + at, entryBody(link)), 'UNSAFE_PATH', target);
    }
    const fine = { path: 'fine', kind: 'symlink', target: 'sub/../there' } as const;
    assert.equal(await outcome(peer, FRAME.create, 30, entryBody(fine)), 'done');
    assert.equal(readlinkSync(join(disk.root, 'fine')), 'sub/../there');
    assert.deepEqual((await disk.list()).sort(), ['fine', 'up']);
  }),
);

test('T9: a link is not led out of the target by another link that was made before it', LIMIT, () =>
  scene([], async ({ disk, peer }) => {
    for (const [id, path] of [[2, 'a'] as const, [3, 'a/b'] as const]) {
      assert.equal(await outcome(peer, FRAME.create, id, entryBody({ path, kind: 'directory' })), 'done');
    }
    // By their text both stay inside; together they lead to what is above the target.
    const inner = { path: 'inner', kind: 'symlink', target: 'a/b' } as const;
    const outer = { path: 'a/b/outer', kind: 'symlink', target: '../../inner/../../..' } as const;
    assert.equal(await outcome(peer, FRAME.create, 4, entryBody(inner)), 'done');
    await outcome(peer, FRAME.create, 5, entryBody(outer));
    assert.notEqual(await put(peer, 6, 'a/b/outer/evil'), 'done');
    assert.ok(!(await disk.outside()).includes('evil'));
  }),
);

test('T9: a directory that becomes a link while files go into it', LIMIT, () =>
  scene([{ path: 'd', kind: 'directory' }], async ({ disk, peer }) => {
    const at = join(disk.root, 'd');
    const outside = join(disk.root, '..', 'outside');
    mkdirSync(outside);
    for (let round = 0; round < 40; round += 1) {
      const pending = [put(peer, 100 + 2 * round, `d/a${round}`), put(peer, 101 + 2 * round, `d/b${round}`)];
      await new Promise((resolve) => setImmediate(resolve));
      renameSync(at, `${at}.aside`);
      symlinkSync(outside, at);
      await Promise.all([...pending, put(peer, 300 + round, `d/c${round}`)]);
      unlinkSync(at);
      renameSync(`${at}.aside`, at);
    }
    const { readdirSync, rmdirSync } = await import('node:fs');
    assert.deepEqual(readdirSync(outside), []);
    rmdirSync(outside);
  }),
);

const WINDOWS_NAMES = [
  '..\\x',
  'C:x',
  '\\\\srv\\s',
  'x:ads',
  'CON',
  'nul.txt',
  'a.',
  'a ',
  'COM\u00b9',
  'dir/aux',
  'q?',
  'a*',
];

test('T10: names that some system takes for something else', LIMIT, async () => {
  await scene([], async ({ disk, peer }) => {
    for (const [at, name] of WINDOWS_NAMES.entries()) assert.equal(await put(peer, 2 + at, name), 'UNSAFE_PATH', name);
    assert.deepEqual(await disk.list(), []);
  });
});

test('T10: names that differ only in case or form never replace each other', LIMIT, () =>
  scene([], async ({ disk, peer }) => {
    const twins = ['caf\u00e9', 'cafe\u0301', 'CAF\u00c9', 'README', 'readme'];
    const outcomes = await Promise.all(twins.map((name, at) => put(peer, 2 + at, name, Buffer.from(`of ${at}`))));
    for (const [at, name] of twins.entries()) {
      if (outcomes[at] === 'done') assert.equal((await disk.read(name))?.toString(), `of ${at}`);
      else assert.equal(outcomes[at], 'EXISTS');
    }
  }),
);

for (const target of ['', 'new', 'there', 'there/file']) {
  test(`T11: paths that leave the target, into ${target || 'the directory itself'}`, LIMIT, () =>
    scene(
      [{ path: 'there/file', bytes: OLD }],
      async ({ disk, receiving }) => {
        const before = (await disk.list()).sort();
        for (const path of [...HOSTILE_PATHS, '%2e%2e/escaped/../..']) {
          const peer = await callAsSender(receiving.port);
          assert.notEqual(await put(peer, 2, path), 'done', JSON.stringify(path));
          assert.notEqual(await outcome(peer, FRAME.draft, 3, entryBody(file(path, 4))), 'done');
          assert.notEqual(await outcome(peer, FRAME.create, 4, entryBody({ path, kind: 'directory' })), 'done');
          assert.notEqual(await outcome(peer, FRAME.stat, 5, new BodyWriter().text(path).bytes()), 'done');
          peer.close();
        }
        assert.deepEqual((await disk.list()).sort(), before);
        assert.deepEqual(await disk.read('there/file'), OLD);
      },
      { target, policy: { overwrite: true, dotfiles: true, anyNames: true } },
    ),
  );
}

test('T12 and T16: a sender that leaves at any point leaves what was there, and none of its own', LIMIT, () =>
  scene([{ path: 'full/kept', bytes: OLD }], async ({ disk, receiving, peer: first }) => {
    first.close();
    const bytes = patternBytes(100_000);
    const steps: ((peer: FreePeer) => unknown)[] = [
      (peer) => peer.send(FRAME.create, 2, entryBody({ path: 'full', kind: 'directory' })),
      (peer) => peer.send(FRAME.draft, 3, entryBody(file('full/new', bytes.length))),
      (peer) => peer.send(FRAME.draft, 4, entryBody(file('../evil', 4))),
      (peer) => peer.send(FRAME.draft, 5, entryBody(file('full/kept', 4))),
      (peer) => peer.send(FRAME.stat, 6, new BodyWriter().text('full').bytes()),
      async (peer) => {
        for (let frame = await peer.next(); frame && frame.id !== 6; ) frame = await peer.next();
      },
      (peer) => peer.send(FRAME.write, 7, writeBody(1, 0)),
      (peer) => peer.send(FRAME.bytes, 7, bytes.subarray(0, 50_000)),
      (peer) => peer.send(FRAME.put, 8, putBody(file('full/kept', 4), Buffer.from('evil'))),
      (peer) => peer.send(FRAME.abort, 7),
      (peer) => peer.send(FRAME.write, 9, writeBody(1, 0)),
      (peer) => peer.send(FRAME.bytes, 9, bytes),
      (peer) => peer.send(FRAME.discard, 10, draftBody(1)),
    ];
    for (let count = 0; count <= steps.length; count += 1) {
      const peer = await callAsSender(receiving.port);
      for (const step of steps.slice(0, count)) await step(peer);
      const lost = receiving.lost();
      peer.socket.end();
      await peer.closed;
      while (receiving.lost() === lost) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual((await disk.list()).sort(), ['full', 'full/kept'], `after ${count} steps`);
      assert.deepEqual(await disk.read('full/kept'), OLD);
    }
  }),
);

test('T13: more bytes than were announced are not written', LIMIT, () =>
  scene([], async ({ disk, peer }) => {
    const number = await draft(peer, 2, file('bomb', 1000));
    peer.send(FRAME.write, 3, writeBody(number, 0));
    for (let sent = 0; sent < 64; sent += 1) peer.send(FRAME.bytes, 3, Buffer.alloc(1 << 20));
    assert.equal(await outcome(peer, FRAME.end, 3, Buffer.alloc(0)), 'CORRUPT');
    assert.equal(await outcome(peer, FRAME.commit, 4, commitBody(number, file('bomb', 1000))), 'TRUNCATED');
    assert.equal(await outcome(peer, FRAME.commit, 5, commitBody(number, file('bomb', 64 << 20))), 'PROTOCOL');
    await peer.closed;
    assert.equal(await disk.read('bomb'), undefined);
  }),
);

test('T13: bytes behind the end, and a put that is not what it says', LIMIT, () =>
  scene([], async ({ disk, peer }) => {
    const number = await draft(peer, 2, file('far', 10));
    peer.send(FRAME.write, 3, writeBody(number, 2 ** 50));
    peer.send(FRAME.bytes, 3, Buffer.alloc(10));
    assert.equal(await outcome(peer, FRAME.end, 3, Buffer.alloc(0)), 'CORRUPT');
    const wrong = putBody(file('wrong', 4), Buffer.from('sent'), Buffer.alloc(32));
    assert.equal(await outcome(peer, FRAME.put, 4, wrong), 'CORRUPT');
    assert.equal(await outcome(peer, FRAME.put, 5, putBody(file('short', 9), Buffer.from('sent'))), 'PROTOCOL');
    await peer.closed;
    assert.equal(await disk.read('far'), undefined);
    assert.deepEqual(
      (await disk.list()).filter((name) => !name.startsWith('.')),
      [],
    );
  }),
);

test('T13: no more than a person agreed to', LIMIT, async () => {
  const disk = await openDisk([]);
  const events = { onOffer: async () => true };
  const receiving = await startReceiving(await openLocalSink(disk.root), { events, policy: { asOffered: true } });
  const peer = await callFreely(receiving.port, 'sender');
  await peer.ask(FRAME.hello, 0, encodeHello(senderHello()));
  const small = { name: 'small', kind: 'file', size: 4 } as const;
  const things = [small, { name: 'stdin', kind: 'file' }, { name: 'tree', kind: 'directory' }] as const;
  assert.equal(await outcome(peer, FRAME.offer, 1, encodeOffer({ things, count: 3 })), 'done');
  assert.equal(await outcome(peer, FRAME.draft, 2, entryBody(file('small', 5))), 'SOURCE_CHANGED');
  assert.equal(await outcome(peer, FRAME.draft, 3, entryBody({ path: 'small', kind: 'file' })), 'SOURCE_CHANGED');
  assert.equal(await put(peer, 4, 'small', Buffer.from('more!')), 'SOURCE_CHANGED');
  const directory = { path: 'small', kind: 'directory' } as const;
  assert.equal(await outcome(peer, FRAME.create, 5, entryBody(directory)), 'SOURCE_CHANGED');
  assert.equal(await put(peer, 6, 'small/in'), 'SOURCE_CHANGED');
  assert.deepEqual(await disk.list(), []);
  assert.equal(await put(peer, 7, 'small'), 'done');
  await draft(peer, 8, { path: 'stdin', kind: 'file' });
  assert.equal(await outcome(peer, FRAME.create, 9, entryBody({ path: 'tree', kind: 'directory' })), 'done');
  assert.equal(await put(peer, 10, 'tree/any', Buffer.alloc(100)), 'done');
  peer.close();
  await receiving.stop();
  await disk.remove();
});

test('an offer that a person refuses is refused again without a question, and nothing is taken', LIMIT, async () => {
  const disk = await openDisk([]);
  let asked = 0;
  const events = {
    onOffer: async () => {
      asked += 1;
      return false;
    },
  };
  const receiving = await startReceiving(await openLocalSink(disk.root), { events });
  const peer = await callFreely(receiving.port, 'sender');
  await peer.ask(FRAME.hello, 0, encodeHello(senderHello()));
  assert.equal(await outcome(peer, FRAME.offer, 1, encodeOffer(ANYTHING)), 'DENIED');
  assert.equal(await outcome(peer, FRAME.offer, 2, encodeOffer(offering('other'))), 'DENIED');
  assert.equal(await put(peer, 3, 'anyway'), 'PROTOCOL');
  await peer.closed;
  assert.equal(asked, 1);
  assert.deepEqual(await disk.list(), []);
  await receiving.stop();
  await disk.remove();
});
