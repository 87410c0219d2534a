import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { engineFlags } from '#xfer/cli/engine-flags.js';

describe('flags of V8', () => {
  it('are given to the versions of Node that they were measured with', () => {
    const [marking, budget, growth] = [
      '--no-incremental-marking',
      '--interrupt-budget=250000',
      '--semi-space-growth-factor=16',
    ];
    assert.deepEqual(engineFlags('20.19.0'), [marking, budget, growth]);
    assert.deepEqual(engineFlags('22.12.0'), [marking, growth]);
    assert.deepEqual(engineFlags('24.0.0'), [marking]);
    assert.deepEqual(engineFlags('27.0.0'), []);
    assert.deepEqual(engineFlags('18.20.0'), []);
  });

  it('are words that this Node knows', () => {
    const program = `for (const flag of ${JSON.stringify(engineFlags(process.versions.node))}) v8.setFlagsFromString(flag)`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
    assert.deepEqual({ stdout, stderr, status }, { stdout: '', stderr: '', status: 0 });
  });
});
