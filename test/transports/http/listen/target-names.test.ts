import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameFromBytes } from '#xfer/names.js';
import { encodeName, parseTarget } from '#xfer/transports/http/listen/target.js';
import { FINE_NAMES } from '../../../support/hostile-names.js';
import { Dice, pickSeed } from '../../../support/random.js';

const POLICY = { hidden: true, named: new Set<string>(), platform: 'linux' } as const;

test('a name is encoded with nothing that means something in a reference, and is asked for by it', () => {
  const seed = pickSeed();
  const dice = new Dice(seed);
  const random = Array.from({ length: 2000 }, () =>
    nameFromBytes(Uint8Array.from({ length: 1 + dice.below(12) }, () => 1 + dice.below(255))),
  ).filter((name) => !name.includes('/') && name !== '.' && name !== '..');
  for (const name of [...FINE_NAMES.map((fine) => fine.name), "!'()*", ...random]) {
    const encoded = encodeName(name);
    assert.match(encoded, /^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+$/, `XFER_SEED=${seed}`);
    assert.deepEqual(
      parseTarget(`/${encoded}`, POLICY),
      { path: name, directory: false, query: '' },
      `XFER_SEED=${seed}`,
    );
  }
});

test('a plain target is what it is with its letters escaped, whatever may be asked for', () => {
  const seed = pickSeed();
  const dice = new Dice(seed);
  const letters = [...'aZ09_-.~/'];
  const named = new Set(['.a']);
  for (let count = 0; count < 5000; count += 1) {
    const path = `/${dice.word(letters, 12)}`;
    const escaped = path.replace(/[aZ09_-]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
    for (const platform of ['linux', 'win32'] as const) {
      for (const hidden of [true, false]) {
        const policy = { hidden, named, platform };
        assert.deepEqual(parseTarget(path, policy), parseTarget(escaped, policy), `${path} XFER_SEED=${seed}`);
      }
    }
  }
});
