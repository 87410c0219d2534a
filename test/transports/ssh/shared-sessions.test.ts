import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sessions } from '#xfer/transports/ssh/sessions.js';
import { shareSessions } from '#xfer/transports/ssh/shared-sessions.js';
import { sessionsOn } from './carried.js';
import { HostileServer } from './hostile-server.js';

async function make(): Promise<Sessions> {
  return sessionsOn(await new HostileServer().connect());
}

test('one run has one set for one key, until the last user closes it', { timeout: 10_000 }, async () => {
  const run = {};
  let opened = 0;
  const open = () => {
    opened += 1;
    return make();
  };
  const [first, second] = await Promise.all([shareSessions(run, 'a', open), shareSessions(run, 'a', open)]);
  assert.equal(first, second);
  assert.notEqual(await shareSessions(run, 'b', open), first);
  assert.notEqual(await shareSessions({}, 'a', open), first);
  assert.equal(opened, 3);
  await first.close();
  assert.equal(await shareSessions(run, 'a', open), first);
  await first.close();
  await first.close();
  assert.equal(first.join(), false);
  assert.notEqual(await shareSessions(run, 'a', open), first);
  assert.equal(opened, 4);
});

test('who waited for sessions that could not be opened opens their own', { timeout: 10_000 }, async () => {
  const run = {};
  const failing = shareSessions(run, 'a', () => Promise.reject(new Error('refused')));
  const waiting = shareSessions(run, 'a', make);
  await assert.rejects(failing, /refused/);
  assert.ok((await waiting) instanceof Sessions);
});
