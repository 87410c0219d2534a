import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNetrc } from '#xfer/transports/http/client/netrc.js';

const TEXT = `
# machine commented.example login no password no
machine files.example login anna password "with \\"blank\\" and #"
machine other.example
  login bob
  account ignored
  password hash#inside
macdef init
  machine macro.example login no password no

machine files.example login second password second
default login anonymous password me@
`;

test('logins by host, the first of each, macros and comments left out', () => {
  const netrc = parseNetrc(TEXT);
  assert.deepEqual(netrc.loginFor('FILES.example', false), { user: 'anna', password: 'with "blank" and #' });
  assert.deepEqual(netrc.loginFor('other.example', false), { user: 'bob', password: 'hash#inside' });
  for (const host of ['commented.example', 'macro.example', 'sub.files.example', 'ignored']) {
    assert.equal(netrc.loginFor(host, false), undefined, host);
  }
});

test('default is for the host that was named alone', () => {
  const netrc = parseNetrc(TEXT);
  assert.deepEqual(netrc.loginFor('any.example', true), { user: 'anonymous', password: 'me@' });
  assert.equal(netrc.loginFor('any.example', false), undefined);
});

test('words without a place are passed over', () => {
  const netrc = parseNetrc('what machine a login b port 80 password c machine');
  assert.deepEqual(netrc.loginFor('a', false), { user: 'b', password: 'c' });
  assert.equal(parseNetrc('').loginFor('a', true), undefined);
});
