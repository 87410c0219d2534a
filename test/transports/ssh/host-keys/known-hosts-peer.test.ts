/** Made-up known_hosts files, read here and by ssh-keygen -F. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { addKnownHost } from '#xfer/transports/ssh/host-keys/add-known-host.js';
import { KnownHosts } from '#xfer/transports/ssh/host-keys/known-hosts.js';
import { needs } from '../../../support/peers.js';
import { Dice, pickSeed } from '../../../support/random.js';
import { hashedName as hashed, knownLine as line, makeKey } from '../made-up.js';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xfer-known-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const KEYS = [0, 1, 2, 3].map((seed) => makeKey('ssh-ed25519', seed));

const NAMES = 'a ab abc.example b.example A B.Example 10.0.0.1 ::1 x-y.z'.split(' ');
const PORTS = [22, 2222, 22022];
const PATTERNS = '* a* ?b *.example !a !*.example [*]:2222 10.* ! **b* A [A]:2222 [a]:* *:22022 ?????'.split(' ');

const known = (name: string, port: number) => (port === 22 ? name : `[${name}]:${port}`);

function makeHosts(dice: Dice): string {
  const name = () => known(dice.of(NAMES), dice.of(PORTS));
  if (dice.below(3) === 0) return hashed(name().toLowerCase());
  const parts = Array.from({ length: 1 + dice.below(3) }, () => (dice.below(2) ? name() : dice.of(PATTERNS))).join(',');
  return dice.below(40) === 0 ? `${'x'.repeat(1100)},${parts}` : parts;
}

function makeLine(dice: Dice): string {
  const odd = dice.below(14);
  if (odd === 0)
    return dice.of(['# a', '', ' ', 'a', '@revoked', '@odd a ssh-rsa AAAA', 'a ssh-ed25519', '|1|a|b ssh-ed25519 x']);
  const marker = odd === 1 ? '@revoked ' : odd === 2 ? '@cert-authority ' : '';
  const made = line(makeHosts(dice), dice.of(KEYS), marker);
  return dice.of(['', ' ', '\t']) + (odd === 3 ? made.replaceAll(' ', '\t') : made);
}

/** Lines that ssh-keygen finds, by what it says of them: '', 'CA' or 'REVOKED'. */
async function askKeygen(name: string, file: string): Promise<Map<number, string>> {
  const run = promisify(execFile)('ssh-keygen', ['-F', name, '-f', file], { timeout: 30_000, maxBuffer: 2 ** 24 });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const said = stdout.matchAll(/^# Host .* found: line (\d+) ?(CA|REVOKED)?/gm);
  return new Map(Array.from(said, ([, at, marker]) => [Number(at), marker ?? '']));
}

async function compare(file: string, hosts: KnownHosts, name: string, port: number, hint: string): Promise<void> {
  // ssh looks hidden names up in lower case; ssh-keygen takes what it is given.
  const said = await askKeygen(known(name.toLowerCase(), port), file);
  const found = hosts.lookup(name, port).map((one) => [one.line, one.revoked ? 'REVOKED' : ''] as const);
  assert.deepEqual(
    found,
    [...said].filter(([, marker]) => marker !== 'CA'),
    hint,
  );
  const own = new Set(hosts.authorities(name, port).map((one) => one.line));
  for (const [at, marker] of said) if (marker === 'CA') assert.ok(own.has(at), `${hint}: line ${at}`);
}

const FILES = Math.ceil(Number(process.env.XFER_ROUNDS ?? 1000) / (NAMES.length * PORTS.length));

test('finds the lines that ssh-keygen -F finds', { ...needs('ssh-keygen'), timeout: FILES * 5000 }, async (t) => {
  const seed = pickSeed();
  t.diagnostic(`XFER_SEED=${seed}`);
  let lookups = 0;
  for (let made = 0; made < FILES; made++) {
    const dice = new Dice(seed + made);
    const file = join(folder, `made-up-${made}`);
    const lines = Array.from({ length: 40 + dice.below(60) }, () => makeLine(dice));
    await writeFile(file, lines.join('\n') + dice.of(['', '\n']));
    const hosts = await KnownHosts.load([file]);
    for (const port of PORTS) {
      await Promise.all(
        NAMES.map((name) => compare(file, hosts, name, port, `XFER_SEED=${seed + made} ${name} ${port}`)),
      );
      lookups += NAMES.length;
    }
    await rm(file);
  }
  t.diagnostic(`${lookups} names were looked up`);
});

test('writes lines that ssh-keygen finds', { ...needs('ssh-keygen'), timeout: 30_000 }, async () => {
  const file = join(folder, 'written');
  await addKnownHost(file, { hosts: [{ host: 'plain', port: 22 }], key: KEYS[0] as Buffer, hash: false });
  await addKnownHost(file, { hosts: [{ host: 'hidden', port: 2222 }], key: KEYS[1] as Buffer, hash: true });
  for (const [at, name] of ['plain', '[hidden]:2222'].entries()) {
    const said = execFileSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8', timeout: 10_000 });
    assert.match(said, new RegExp(`found: line ${at + 1}`));
  }
});
