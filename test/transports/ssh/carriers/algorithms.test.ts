import assert from 'node:assert/strict';
import { test } from 'node:test';
import { algorithmsFor, chosenAlgorithms } from '#xfer/transports/ssh/carriers/algorithms.js';
import { resolveSshConfig } from '#xfer/transports/ssh/config/config.js';
import { failsWith } from '../../../support/fails-with.js';

const configure = (...options: string[]) => resolveSshConfig({ host: 'alpha', configFile: 'none', options });

test('the host keys that are known come first, unless the configuration says which do', async () => {
  const first = async (types: readonly string[], ...options: string[]) => {
    const { serverHostKey } = algorithmsFor(await configure(...options), types);
    return (serverHostKey as readonly string[])[0];
  };
  assert.equal(await first([]), 'ssh-ed25519');
  assert.equal(await first(['ssh-rsa']), 'rsa-sha2-512');
  assert.equal(await first(['ecdsa-sha2-nistp521', 'ssh-rsa']), 'ecdsa-sha2-nistp521');
  assert.equal(await first(['sk-ssh-ed25519@openssh.com']), 'ssh-ed25519');
  assert.equal(await first(['ssh-rsa'], 'HostKeyAlgorithms=+ssh-rsa'), 'rsa-sha2-512');
  assert.equal(await first(['ssh-rsa'], 'HostKeyAlgorithms=-rsa-*'), 'ssh-ed25519');
  assert.equal(await first(['ssh-rsa'], 'HostKeyAlgorithms=^ecdsa-sha2-nistp256'), 'ecdsa-sha2-nistp256');
  assert.equal(await first(['ssh-rsa'], 'HostKeyAlgorithms=ssh-ed25519,rsa-sha2-256'), 'ssh-ed25519');
});

test('lists replace, add, remove and move to the front, and match patterns', () => {
  assert.deepEqual(chosenAlgorithms('Ciphers', 'aes256-ctr,nothing,aes128-ctr'), ['aes256-ctr', 'aes128-ctr']);
  const usual = chosenAlgorithms('Ciphers', undefined);
  assert.deepEqual(chosenAlgorithms('Ciphers', '+aes128-cbc'), [...usual, 'aes128-cbc']);
  assert.deepEqual(chosenAlgorithms('Ciphers', '^aes256-ctr')[0], 'aes256-ctr');
  assert.equal(chosenAlgorithms('Ciphers', '^aes256-ctr').length, usual.length);
  assert.ok(!chosenAlgorithms('Ciphers', '-aes*-ctr').some((name) => name.endsWith('-ctr')));
  assert.deepEqual(chosenAlgorithms('Ciphers', 'none'), []);
  const started = performance.now();
  chosenAlgorithms('Ciphers', `${'*a'.repeat(500)}b`);
  assert.ok(performance.now() - started < 1000);
});

test('a list that leaves none is refused, with what to type', async () => {
  const config = await configure('KexAlgorithms=sntrup761x25519-sha512@openssh.com');
  assert.deepEqual(config.unsupported, ['KexAlgorithms sntrup761x25519-sha512@openssh.com (command line)']);
  assert.throws(() => algorithmsFor(config, []), failsWith('UNSUPPORTED', /none of these is known here/));
});
