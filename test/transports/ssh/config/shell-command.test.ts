import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shellArguments } from '#xfer/transports/ssh/config/shell-command.js';

test('a command goes to the shell of the person, or to cmd on Windows', () => {
  const command = 'nc "a b" %h';
  assert.deepEqual(shellArguments(command, { environment: { SHELL: '/bin/zsh' }, platform: 'linux' }), [
    '/bin/zsh',
    '-c',
    command,
  ]);
  assert.equal(shellArguments(command, { environment: {}, platform: 'darwin' })[0], '/bin/sh');
  const environment = { ComSpec: 'C:\\Windows\\cmd.exe', SHELL: '/bin/sh' };
  assert.deepEqual(shellArguments(command, { environment, platform: 'win32' }), [
    'C:\\Windows\\cmd.exe',
    '/d',
    '/s',
    '/c',
    `"${command}"`,
  ]);
});
