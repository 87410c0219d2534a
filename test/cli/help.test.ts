/** `xfer <command> --help` for a person: on every width, with each option once, and no word of the package that makes it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadCommands } from '#xfer/cli/commands/index.js';
import { commandHelp } from '#xfer/cli/help.js';
import { optionsOf } from '#xfer/cli/options.js';
import { XFER } from '../support/run-xfer.js';

test('the page shows in a directory that was removed', { skip: process.platform === 'win32' }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'xfer-help-'));
  const script = 'rmdir "$PWD" && exec "$0" "$1" serve --help';
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script, process.execPath, XFER], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /--port/);
});

test('each page says each option once, under its heading, at any width', async () => {
  for (const command of await loadCommands()) {
    for (let columns = 60; columns <= 110; columns += 1) {
      const page = await commandHelp(command, columns);
      assert.doesNotMatch(page, /\[(?:boolean|string|array|count|choices)/, `${command.name} at ${columns}`);
      for (const { name, group } of optionsOf(command.name)) {
        assert.equal(
          page.match(new RegExp(`^ {2,6}(?:-., )?--${name}(?: |$)`, 'gm'))?.length,
          1,
          `${name} at ${columns}`,
        );
        assert.ok(page.includes(`\n${group}\n`), group);
      }
    }
  }
});

test('a terminal of 80 columns is wide enough for every line', async () => {
  for (const command of await loadCommands()) {
    const page = await commandHelp(command, 80);
    assert.deepEqual(
      page.split('\n').filter((line) => line.length > 80),
      [],
      command.name,
    );
  }
});
