/** The count of open things that each chapter ends with notices what it is there for. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { assertNoMoreThan, countOpen } from '../support/leaks.js';

const LIMIT = { timeout: 10_000 };

/** Opens something, and closes it again after the look. */
const OPENERS: Record<string, () => Promise<() => Promise<unknown>>> = {
  'a listening socket': async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return () => once(server.close(), 'close');
  },
  'a timer': async () => {
    const timer = setTimeout(() => {}, 60_000);
    return async () => clearTimeout(timer);
  },
};
if (process.platform === 'linux') {
  OPENERS['a file'] = async () => {
    const file = await open(process.execPath);
    return () => file.close();
  };
}

for (const [what, opener] of Object.entries(OPENERS)) {
  test(`${what} that stays open is a leak, and none once it is closed`, LIMIT, async () => {
    const before = countOpen();
    const close = await opener();
    try {
      await assert.rejects(assertNoMoreThan(before, 50), assert.AssertionError);
    } finally {
      await close();
    }
    await assertNoMoreThan(before);
  });
}
