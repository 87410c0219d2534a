/** `xfer <command> --help` for a person: on every width, with each option once, and no word of the package that makes it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCommands } from '#xfer/cli/commands/index.js';
import { commandHelp } from '#xfer/cli/help.js';
import { optionsOf } from '#xfer/cli/options.js';

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
