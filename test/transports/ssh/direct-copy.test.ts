import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLocation } from '#xfer/location.js';
import { directCommand } from '#xfer/transports/ssh/direct-copy.js';
import { failsWith } from '../../support/fails-with.js';

const none = { recursive: false, preserve: false, intoDirectory: false };

function commandFor(from: string, to: string, more: Partial<typeof none> = {}, verbose = false): string {
  return directCommand(
    { from: parseLocation(from, 'linux'), to: parseLocation(to, 'linux'), ...none, ...more },
    verbose,
  );
}

test("the first host's scp gets what scp would give it, with all but patterns quoted", () => {
  const all = { recursive: true, preserve: true, intoDirectory: true };
  assert.equal(commandFor('a:f', 'b:'), 'scp ./f b:.');
  assert.equal(commandFor('a:/x/*', 'me@b:in', all, true), 'scp -v -r -p -d /x/* me@b:in');
  assert.equal(commandFor('a:$(id) x', "b:it's"), "scp ./'$(id) x' 'b:it'\\''s'");
  assert.equal(commandFor('a:-oProxyCommand=x', 'scp://[::1]:22/a b'), "scp ./-oProxyCommand=x '[::1]:a b'");
  assert.equal(commandFor('a:~/f', 'b:~me/g'), "scp ~/f 'b:~me/g'");
});

test('a port for the target is refused, as by scp', () => {
  assert.throws(() => commandFor('a:f', 'scp://b:2222/f'), failsWith('UNSUPPORTED'));
});

test('users that scp refuses there are refused', () => {
  for (const user of ['a#b', 'jürgen']) {
    assert.throws(() => commandFor(`${user}@a:f`, 'b:f'), failsWith('USAGE'));
    assert.throws(() => commandFor('a:f', `${user}@b:f`), failsWith('USAGE'));
  }
});
