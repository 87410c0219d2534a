/** What is local, and who and where, as the real scp says on made-up operands. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseScpOperand } from '#xfer/cli/commands/scp.js';
import { XferError } from '#xfer/errors.js';
import type { Location } from '#xfer/location.js';
import { needs } from './support/peers.js';
import { Dice, pickSeed } from './support/random.js';

const options = { ...needs('scp'), timeout: 60_000 };

/** What scp gives to the ssh that it would start, or undefined where it takes the operand for a local path. */
function prepare(t: TestContext): (operand: string) => Partial<Location> | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-operands-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [ssh, args] = [join(folder, 'ssh'), join(folder, 'args')];
  writeFileSync(ssh, `#!/bin/sh\nprintf '%s\\0' "$@" > '${args}'\n`, { mode: 0o755 });
  return (operand) => {
    rmSync(args, { force: true });
    spawnSync('scp', ['-O', '-S', ssh, '--', operand, folder], { cwd: folder, timeout: 10_000 });
    if (!existsSync(args)) return undefined;
    const words = readFileSync(args, 'utf8').split('\0').slice(0, -1);
    const after = (flag: string) => (words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined);
    const [user, port, host] = [after('-l'), after('-p'), after('--') as string];
    const path = (words.at(-1) as string).replace('scp -f ', '').replace(/^-- /, '');
    return {
      scheme: 'sftp',
      host,
      path,
      ...(user === undefined ? {} : { user }),
      ...(port === undefined ? {} : { port: Number(port) }),
    };
  };
}

function ours(operand: string): Location | 'refused' | undefined {
  try {
    const location = parseScpOperand(operand, 'linux');
    return location.scheme === 'file' ? undefined : location;
  } catch (error) {
    assert.ok(error instanceof XferError && error.code === 'USAGE', String(error));
    return 'refused';
  }
}

const TYPED = [
  ['h:', 'h:a', 'h:a:b', 'u@h:a', 'u@v@h:a', 'h:a@b:c', '@h:a', ':a', './h:a', 'd/h:a', '[h]:a', '[::1]:a', 'u@[::1]:'],
  ['scp://h', 'scp://h/', 'scp://h/a', 'scp://h//a', 'scp://u@h:22/a', 'scp://u;x=y@h/a%20b'],
  ['h:~', 'h:~u/x', 'h:a b', 'a', '[1]', '[1]x:y', 'a@b', 'u@h', '.', 'h/:a', 'h.example:/a'],
].flat();

test('typed operands', options, (t) => {
  const ask = prepare(t);
  for (const operand of TYPED) assert.deepEqual(ours(operand), ask(operand), operand);
});

test('made-up operands', options, (t) => {
  const ask = prepare(t);
  const seed = pickSeed();
  t.diagnostic(`XFER_SEED=${seed}`);
  const dice = new Dice(seed);
  const letters = [...'aabh@:[]/.~'];
  let compared = 0;
  for (let round = 0; round < 150; round++) {
    const operand = dice.word(letters, 8);
    const location = ours(operand);
    if (location === 'refused') continue;
    compared += 1;
    assert.deepEqual(location, ask(operand), `XFER_SEED=${seed} ${operand}`);
  }
  assert.ok(compared > 75, `${compared}`);
});
