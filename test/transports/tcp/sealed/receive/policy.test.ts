import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLink, checkName, safeEntry } from '#xfer/transports/tcp/sealed/receive/policy.js';
import { failsWith } from '../../../../support/fails-with.js';

test('names are taken as they are, hidden ones below the top too', () => {
  for (const path of ['a', 'dir/.hidden', 'a b/c', 'e\u0301', '\u00e9'.repeat(120), '-rf', '~']) checkName(path, {});
  for (const path of ['.x', '..', '../x', 'a//b', '/a', 'a/.', 'con', 'a/b:c', 'a.', 'x'.repeat(256)]) {
    assert.throws(() => checkName(path, {}), failsWith('UNSAFE_PATH'), path);
  }
  checkName('.x/y', { dotfiles: true });
  checkName('con/b:c', { anyNames: true });
  assert.throws(() => checkName('../x', { dotfiles: true, anyNames: true }), failsWith('UNSAFE_PATH'));
  assert.throws(() => checkName('.x', { anyNames: true }), failsWith('UNSAFE_PATH', /dot/));
});

test('links stay inside the target', () => {
  const link = (path: string, target: string) => checkLink({ path, kind: 'symlink', target });
  for (const [path, target] of [
    ['l', 'x'],
    ['d/l', '../x'],
    ['d/l', '..'],
    ['l', '.'],
    ['l', 'a/../b'],
  ] as const)
    link(path, target);
  for (const [path, target] of [
    ['l', '..'],
    ['l', '/x'],
    ['d/l', '../../x'],
    ['l', 'a/../../x'],
    ['l', 'c:x'],
    ['l', 'a\\b'],
    ['l', ''],
  ] as const) {
    assert.throws(() => link(path, target), failsWith('UNSAFE_PATH'), `${path} -> ${target}`);
  }
});

test('nobody gets rights by a mode', () => {
  assert.equal(safeEntry({ path: 'x', kind: 'file', mode: 0o6755 }).mode, 0o755);
  assert.deepEqual(safeEntry({ path: 'x', kind: 'file' }), { path: 'x', kind: 'file' });
});
