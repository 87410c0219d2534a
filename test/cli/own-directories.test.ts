import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configDirectory, stateDirectory } from '#xfer/cli/own-directories.js';

test('the state directory follows each system', () => {
  const linux = { platform: 'linux', homeDirectory: '/home/anna' } as const;
  assert.equal(stateDirectory({ ...linux, env: {} }), '/home/anna/.local/state/xfer');
  assert.equal(stateDirectory({ ...linux, env: { XDG_STATE_HOME: '/var/state' } }), '/var/state/xfer');
  assert.equal(stateDirectory({ ...linux, env: { XDG_STATE_HOME: 'state' } }), '/home/anna/.local/state/xfer');
  assert.equal(stateDirectory({ ...linux, env: { XDG_STATE_HOME: '' } }), '/home/anna/.local/state/xfer');
  const windows = { platform: 'win32', homeDirectory: 'C:\\Users\\Anna' } as const;
  assert.equal(stateDirectory({ ...windows, env: { LOCALAPPDATA: 'D:\\Local' } }), 'D:\\Local\\xfer');
  assert.equal(stateDirectory({ ...windows, env: {} }), 'C:\\Users\\Anna\\AppData\\Local\\xfer');
});

test('the configuration directory follows each system', () => {
  const linux = { platform: 'linux', homeDirectory: '/home/anna' } as const;
  assert.equal(configDirectory({ ...linux, env: {} }), '/home/anna/.config/xfer');
  assert.equal(configDirectory({ ...linux, env: { XDG_CONFIG_HOME: '/etc/anna' } }), '/etc/anna/xfer');
  assert.equal(configDirectory({ ...linux, env: { XDG_CONFIG_HOME: 'config' } }), '/home/anna/.config/xfer');
  const windows = { platform: 'win32', homeDirectory: 'C:\\Users\\Anna' } as const;
  assert.equal(configDirectory({ ...windows, env: { APPDATA: 'D:\\Roaming' } }), 'D:\\Roaming\\xfer');
  assert.equal(configDirectory({ ...windows, env: {} }), 'C:\\Users\\Anna\\AppData\\Roaming\\xfer');
});
