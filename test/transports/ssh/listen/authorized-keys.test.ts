import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAuthorizedKeys, readAuthorizedKeys } from '#xfer/transports/ssh/listen/authorized-keys.js';
import { makeHostKey } from '#xfer/transports/ssh/listen/host-key-file.js';
import { failsWith } from '../../../support/fails-with.js';
import { needs } from '../../../support/peers.js';
import { publicLine } from '../../../support/sftp-listener.js';

const KEY = publicLine(makeHostKey().privateKey);

function parse(text: string): { size: number; faults: string[] } {
  const faults: string[] = [];
  const { size } = parseAuthorizedKeys(text, (line, fault) => faults.push(`${line}: ${fault}`));
  return { size, faults };
}

test('lines that are kept to are taken', () => {
  const lines = ['', '# a comment', KEY, `${KEY} anna@host`, `restrict ${KEY} x`, `no-pty,no-X11-forwarding ${KEY}`];
  assert.deepEqual(parse(lines.join('\r\n')), { size: 1, faults: [] });
  assert.deepEqual(parse(`environment="A=b c, d",permitopen="h:1" ${KEY}`), { size: 1, faults: [] });
});

test('a line that asks for more than is done here is left out, and said', () => {
  const asked = [
    'command="rsync --server"',
    'from="192.0.2.*,!x"',
    'restrict,command="a \\" b"',
    'expiry-time="20300101"',
    'cert-authority',
    'principals="a,b"',
    'verify-required',
    'FROM="x"',
    'no-pty,future-option="x"',
    '"',
    'environment="A=b',
  ];
  for (const options of asked) {
    const { size, faults } = parse(`${options} ${KEY}`);
    assert.deepEqual([size, faults.length], [0, 1], options);
  }
});

test('what is no key is left out: cut short, of another type, of DSA, too long', () => {
  const [type, blob = ''] = KEY.split(' ');
  const wrong = [
    `${type} ${blob.slice(0, -8)}`,
    `ssh-rsa ${blob}`,
    `ssh-dss ${blob}`,
    'ssh-ed25519',
    `x ${'A'.repeat(20_000)}`,
  ];
  for (const line of wrong) assert.deepEqual([parse(line).size, parse(line).faults.length], [0, 1], line.slice(0, 20));
});

test('the keys of ssh-keygen are taken, a short one of RSA is not', needs('ssh-keygen'), async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-keys-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const types = [['ed25519'], ['ecdsa', '-b', '384'], ['rsa', '-b', '2048'], ['rsa', '-b', '1024']];
  const lines = types.map((type, at) => {
    const file = join(folder, `key${at}`);
    execFileSync('ssh-keygen', ['-q', '-t', ...(type as [string]), '-N', '', '-C', 'a comment', '-f', file]);
    return readFileSync(`${file}.pub`, 'utf8').trim();
  });
  const file = join(folder, 'keys');
  writeFileSync(file, lines.join('\n'));
  const notices: string[] = [];
  const keys = await readAuthorizedKeys(file, (line) => notices.push(line));
  assert.equal(keys.size, 3);
  assert.match(notices.join('\n'), /keys:4: not a key that can be checked here; the key is not used/);
});

test('a file that is missing, empty or endless is refused', async () => {
  await assert.rejects(readAuthorizedKeys('/nonexistent/keys'), failsWith('NOT_FOUND'));
  await assert.rejects(readAuthorizedKeys('/dev/null'), failsWith('USAGE', /no key/));
  await assert.rejects(readAuthorizedKeys('/dev/zero'), failsWith('USAGE', /larger/));
});
