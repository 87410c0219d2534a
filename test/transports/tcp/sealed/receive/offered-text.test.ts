/** Words for a person, from senders that keep to what they offered, and from those that do not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLocalSink } from '#xfer/transports/local/sink.js';
import { MOST_TEXT_BYTES, type Offered } from '#xfer/transports/tcp/sealed/messages.js';
import { openDisk } from '../../../../conformance/disk.js';
import { callAsSender, FRAME, type FreePeer, startReceiving, takeAll } from '../../../../support/sealed.js';
import { entryBody, file, outcome, putBody } from '../requests.js';

const LIMIT = { timeout: 30_000 };
const TEXT = Buffer.from('at nine');
const THING: Offered = { name: 'text', kind: 'text', size: TEXT.length };
const ENTRY = file('text', TEXT.length);

/** Runs a sender that offers words; what of them was shown. Nothing may be made. */
async function withWords(
  run: (peer: FreePeer) => Promise<void>,
  things: readonly Offered[] = [THING],
): Promise<string[]> {
  const disk = await openDisk([]);
  const shown: string[] = [];
  const events = { ...takeAll(), onText: (text: Buffer) => shown.push(text.toString()) };
  const receiving = await startReceiving(await openLocalSink(disk.root), { events, keep: true });
  try {
    const peer = await callAsSender(receiving.port, { things, count: things.length });
    await run(peer);
    peer.close();
    assert.deepEqual(await disk.list(), []);
  } finally {
    await receiving.stop();
    await disk.remove();
  }
  return shown;
}

test('words are shown once, however often they come', LIMIT, async () => {
  const shown = await withWords(async (peer) => {
    assert.equal(await outcome(peer, FRAME.put, 2, putBody(ENTRY, TEXT)), 'done');
    assert.equal(await outcome(peer, FRAME.put, 3, putBody(ENTRY, TEXT)), 'done');
  });
  assert.deepEqual(shown, ['at nine']);
});

test('other words than those that were offered are not shown', LIMIT, async () => {
  const others: [string, Buffer, string][] = [
    ['another name', putBody(file('other', TEXT.length), TEXT), 'PROTOCOL'],
    ['another length', putBody(file('text', 3), Buffer.from('now')), 'PROTOCOL'],
    ['a length that is not that of the bytes', putBody(ENTRY, Buffer.from('now')), 'PROTOCOL'],
    ['a directory', putBody({ path: 'text', kind: 'directory' }, TEXT), 'PROTOCOL'],
    ['another digest', putBody(ENTRY, TEXT, Buffer.alloc(32)), 'CORRUPT'],
  ];
  for (const [what, body, code] of others) {
    const shown = await withWords(async (peer) => assert.equal(await outcome(peer, FRAME.put, 2, body), code, what));
    assert.deepEqual(shown, [], what);
  }
});

test('with words nothing else may be asked for', LIMIT, async () => {
  for (const kind of [FRAME.create, FRAME.draft, FRAME.finish]) {
    const body = entryBody(kind === FRAME.draft ? ENTRY : { path: 'text', kind: 'directory' });
    await withWords(async (peer) => assert.equal(await outcome(peer, kind, 2, body), 'PROTOCOL'));
  }
});

test('words come alone, with their size, and short', LIMIT, async () => {
  const offers: Offered[][] = [
    [THING, { name: 'a', kind: 'file', size: 1 }],
    [THING, THING],
    [{ name: 'text', kind: 'text' }],
    [{ ...THING, size: MOST_TEXT_BYTES + 1 }],
  ];
  for (const things of offers)
    await assert.rejects(
      withWords(async () => {}, things),
      JSON.stringify(things),
    );
});
