/** Ends of a connection that send anything and leave anyhow: each run ends in time, in order or with an error of the table. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterEach, test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import { Dice, pickSeed } from '../../support/random.js';
import { acceptPeer, assertNoSockets, at, never, openSink, openSource } from './rig.js';

const limit = { timeout: 60_000 };
const ROUNDS = Number(process.env.XFER_ROUNDS ?? 60);

afterEach(assertNoSockets);

type Leaving = 'end' | 'reset' | 'gone';

async function leave(peer: Socket, how: Leaving): Promise<void> {
  if (how === 'end') peer.end();
  else if (how === 'reset') peer.resetAndDestroy();
  else peer.destroy();
}

function garbage(dice: Dice): Buffer {
  return Buffer.from(Array.from({ length: dice.below(65_536) }, () => dice.below(256)));
}

test('a receiver takes what it is given, or says that the end was not in order', limit, async (t) => {
  const seed = pickSeed();
  t.diagnostic(`XFER_SEED=${seed}`);
  const dice = new Dice(seed);
  for (let round = 0; round < ROUNDS; round += 1) {
    const { port, socket } = await acceptPeer();
    const source = await openSource(at(port), { idleTimeoutMs: 2000 });
    const peer = (await socket).resume();
    const sent = garbage(dice);
    const how = dice.of<Leaving>(['end', 'reset', 'gone']);
    const reading = buffer(await source.read({ path: '', kind: 'file' }, { start: 0 }, never)).catch((error) => error);
    peer.write(sent, () => leave(peer, how));
    const result: unknown = await reading;
    if (how === 'reset') assert.ok(result instanceof XferError && result.code === 'DISCONNECTED', String(result));
    else assert.ok(Buffer.isBuffer(result) && result.equals(sent), String(result));
    await source.close();
    peer.destroy();
  }
});

test('a sender is moved by nothing that it is sent', limit, async (t) => {
  const seed = pickSeed();
  t.diagnostic(`XFER_SEED=${seed}`);
  const dice = new Dice(seed);
  const entry = { path: '', kind: 'file' } as const;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { port, socket } = await acceptPeer();
    const sink = await openSink(at(port), { finTimeoutMs: 500, idleTimeoutMs: 2000 });
    const draft = await sink.draft(entry, never);
    const peer = (await socket).resume();
    const bytes = garbage(dice);
    const how = dice.of<Leaving>(['end', 'reset', 'gone']);
    const isEarly = dice.below(2) === 0;
    peer.write(garbage(dice), () => isEarly && leave(peer, how));
    peer.once('end', () => !isEarly && leave(peer, how));
    const sending = pipeline(Readable.from([bytes]), await draft.write(0, never))
      .then(() => draft.commit({ ...entry, size: bytes.length }, never))
      .catch((error) => error);
    const result: unknown = await sending;
    const inOrder = how === 'end' || (how === 'gone' && !isEarly);
    if (inOrder) assert.equal(result, undefined);
    else if (result !== undefined) assert.ok(result instanceof XferError && result.exitCode === 5, String(result));
    else assert.equal(isEarly, true, 'a reset in answer to FIN is no confirmation');
    await sink.close();
    peer.destroy();
  }
});
