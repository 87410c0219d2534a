/** A login for which nobody gives the password. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSink, openSource } from '#xfer/open.js';
import { failsWith } from '../../support/fails-with.js';

test('it is DENIED before anything is asked of the server, whichever way the bytes go', { timeout: 5000 }, async () => {
  const prompt = { secret: async () => undefined, line: async () => undefined };
  for (const open of [openSource, openSink]) {
    const opening = open('http://127.0.0.1:1/f', { auth: 'anna', prompt });
    await assert.rejects(opening, (error: Error & { hint?: string }) => {
      failsWith('DENIED', /^log in to http:\/\/127\.0\.0\.1:1\/f: no password was given$/)(error);
      assert.match(error.hint ?? '', /netrc/);
      return true;
    });
  }
});
