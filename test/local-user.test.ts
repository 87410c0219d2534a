import assert from 'node:assert/strict';
import { test } from 'node:test';
import { homeDirectory, localUserName } from '#xfer/local-user.js';

const none = (): never => {
  throw new Error('uv_os_get_passwd returned ENOENT');
};

test('who has no account is called what the environment says, and lives at the root', () => {
  assert.equal(
    localUserName({ LOGNAME: 'other' }, () => 'anna'),
    'anna',
  );
  assert.equal(localUserName({ LOGNAME: 'anna', USER: 'b' }, none), 'anna');
  assert.equal(localUserName({ LOGNAME: '', USER: 'anna' }, none), 'anna');
  assert.equal(localUserName({ USERNAME: 'anna' }, none), 'anna');
  assert.equal(localUserName({}, none), '');
  assert.equal(
    homeDirectory(() => '/home/anna'),
    '/home/anna',
  );
  assert.equal(homeDirectory(none, none), '/');
});

test('a home that the environment names by no absolute path is that of the account', () => {
  for (const home of ['', 'relative', './here']) {
    assert.equal(
      homeDirectory(
        () => home,
        () => '/home/anna',
      ),
      '/home/anna',
      home,
    );
    assert.equal(
      homeDirectory(() => home, none),
      '/',
      home,
    );
  }
});
