/** Made-up known_hosts files, read here and by ssh-keygen -F. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { addKnownHost, KnownHosts } from '#xfer/transports/ssh/known-hosts.js';
import { needs } from '../../support/peers.js';
import { Dice, hashedName as hashed, knownLine as line, makeKey, pickSeed } from './made-up.js';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xfer-known-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const KEYS = [0, 1, 2, 3].map((seed) => makeKey('ssh-ed25519', seed));

test('finds the lines that ssh-keygen -F finds', { ...needs('ssh-keygen'), timeout: 30_000 }, async (t) => {
  const seed = pickSeed();
  t.diagnostic(`XFER_SEED=${seed}`);
  const random = new Dice(seed);
  const dice = (limit: number) => random.below(limit);
  const pick = <T>(from: readonly T[]): T => random.of(from);
  const names = [
    'a',
    'ab',
    'abc.example',
    'b.example',
    '10.0.0.1',
    '::1',
    '[a]:2222',
    '[b.example]:22022',
    '[::1]:2222',
  ];
  const patterns = [
    '*',
    'a*',
    '?b',
    '*.example',
    '!a',
    '!*.example',
    '[*]:2222',
    '10.*',
    '',
    '!',
    '**b*',
    'A',
    '[A]:2222',
  ];
  const makeHosts = () => {
    if (dice(3) === 0) return hashed(pick(names));
    const parts = Array.from({ length: 1 + dice(3) }, () => pick(dice(2) ? names : patterns)).join(',');
    return dice(40) === 0 ? `${'x'.repeat(1100)},${parts}` : parts;
  };
  const lines = Array.from({ length: 400 }, () => {
    const odd = dice(12);
    if (odd === 0) return pick(['# a', '', ' ', 'a', '@revoked', '@odd a ssh-rsa AAAA']);
    const made = line(makeHosts() || 'a', pick(KEYS), odd === 1 ? '@revoked ' : '');
    return pick(['', ' ', '\t']) + (odd === 2 ? made.replaceAll(' ', '\t') : made);
  });
  const file = join(folder, 'made-up');
  await writeFile(file, lines.join('\n') + pick(['', '\n']));
  const known = await KnownHosts.load([file]);
  for (const name of names) {
    const [, bracketed, port] = /^\[(.*)\]:(\d+)$/.exec(name) ?? [];
    const ours = known.lookup(bracketed ?? name, Number(port ?? 22)).map((found) => found.line);
    const said = spawnSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8', timeout: 10_000 });
    const theirs = [...said.stdout.matchAll(/^# Host .* found: line (\d+)/gm)].map((match) => Number(match[1]));
    assert.ok(theirs.length > 0, `XFER_SEED=${seed}: ssh-keygen finds nothing for ${name}: ${said.stderr}`);
    assert.deepEqual(ours, theirs, `XFER_SEED=${seed} ${name}`);
  }
});

test('writes lines that ssh-keygen finds', { ...needs('ssh-keygen'), timeout: 30_000 }, async () => {
  const file = join(folder, 'written');
  await addKnownHost(file, { host: 'plain', port: 22, key: KEYS[0] as Buffer, hash: false });
  await addKnownHost(file, { host: 'hidden', port: 2222, key: KEYS[1] as Buffer, hash: true });
  for (const [at, name] of ['plain', '[hidden]:2222'].entries()) {
    const said = execFileSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8', timeout: 10_000 });
    assert.match(said, new RegExp(`found: line ${at + 1}`));
  }
});
