import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkInputName } from '#xfer/cli/input-name.js';
import { failsWith } from '../support/fails-with.js';

test('--name is one name, and of standard input', () => {
  for (const name of ['', 'a/b', '.', '..', '/a']) {
    assert.throws(() => checkInputName(name, true, 'xfer -'), failsWith('USAGE', /not the name of a file/), name);
  }
  assert.throws(() => checkInputName('a', false, 'xfer -'), failsWith('USAGE', /only standard input/));
  checkInputName('backup.tar', true, 'xfer -');
  checkInputName(undefined, false, 'xfer -');
});
