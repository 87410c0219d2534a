/** A receiver whose target is a file. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { XferError } from '#xfer/errors.js';
import { openLocalSink } from '#xfer/transports/local/index.js';
import { encodeHello, encodeOffer } from '#xfer/transports/tcp/sealed/messages.js';
import {
  callAsSender,
  callFreely,
  FRAME,
  failureOf,
  offering,
  senderHello,
  startReceiving,
} from '../../../../support/sealed.js';
import { entryBody, file } from '../requests.js';

const LIMIT = { timeout: 20_000 };

async function prepare(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-target-'));
  const target = join(folder, 'copy.txt');
  writeFileSync(target, 'old');
  const refusals: XferError[] = [];
  const events = { onOffer: async () => true, onRefused: (error: XferError) => refusals.push(error) };
  const receiving = await startReceiving(await openLocalSink(target), { keep: true, events });
  t.after(async () => {
    await receiving.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, target, refusals, port: receiving.port };
}

test('where the file is there its name is told, and not where it is', LIMIT, async (t) => {
  const { folder, target, port } = await prepare(t);
  const peer = await callAsSender(port, offering('sent.txt'));
  const failure = failureOf(await peer.ask(FRAME.draft, 2, entryBody(file('', 5))));
  assert.equal(failure?.code, 'EXISTS');
  assert.match(failure?.message ?? '', /^write copy\.txt: a file has that name/);
  assert.ok(!failure?.message.includes(folder));
  assert.equal(readFileSync(target, 'utf8'), 'old');
  peer.close();
});

test('several things are refused before any comes, and both ends know why', LIMIT, async (t) => {
  const { refusals, port } = await prepare(t);
  const peer = await callFreely(port, 'sender');
  await peer.ask(FRAME.hello, 0, encodeHello(senderHello()));
  const failure = failureOf(await peer.ask(FRAME.offer, 1, encodeOffer(offering('a', 'b'))));
  assert.equal(failure?.code, 'NOT_FOUND');
  assert.match(failure?.message ?? '', /2 things: the target of the receiver is no directory/);
  assert.equal(refusals[0]?.code, 'NOT_FOUND');
  peer.close();
});
