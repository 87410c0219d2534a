/** T4: the key of a sealed transfer is in no list of processes, log, message or JSON; and what JSON there is, is whole. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatKey, newKey } from '#xfer/transports/tcp/sealed/key.js';
import { type RunOptions, type Started, startXfer } from '../support/run-xfer.js';
import { makeRandomFile } from '../support/trees.js';

const bounded = { timeout: 60_000 };
const linuxOnly = process.platform === 'linux' ? bounded : { ...bounded, skip: 'there is no /proc here' };

function prepare(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-secrets-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const target = join(folder, 'in');
  mkdirSync(target);
  const file = join(folder, 'file.bin');
  makeRandomFile(file, 8 << 20);
  return { folder, target, file };
}

/** Every way in which a person could write it down. */
function spellings(key: string): string[] {
  const bare = key.replaceAll('-', '');
  return [key, bare, key.toUpperCase(), bare.toUpperCase(), ...(key.match(/\w{4}-\w{4}-\w{4}/g) ?? [])];
}

function started(t: TestContext, words: readonly string[], options: RunOptions = {}): Started {
  const process = startXfer(words, options);
  t.after(() => process.stop('SIGKILL'));
  return process;
}

/** The command lines of everybody, as often as they can be read, until stopped. */
function watchCommandLines(): () => Set<string> {
  const seen = new Set<string>();
  const look = () => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
      } catch {}
    }
  };
  const timer = setInterval(look, 5).unref();
  return () => {
    clearInterval(timer);
    look();
    return seen;
  };
}

/** What xfer wrote into the home of the test. */
function filesBelow(folder: string): string {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

for (const words of [[], ['-v'], ['--json'], ['-q']]) {
  test(`the key appears nowhere: ${words.join() || 'as it is'}`, linuxOnly, async (t) => {
    const { folder, target, file } = prepare(t);
    const key = formatKey(newKey());
    const env = { XFER_KEY: key, XDG_STATE_HOME: join(folder, 'state') };
    const stopWatching = watchCommandLines();
    const receiver = started(t, ['recv', '-l', ...words, '127.0.0.1:0', target], { env });
    const port = words[0] === '-q' ? undefined : (await receiver.waitForLine(/(?:waiting on \S*:|"port":)(\d+)/))[1];
    if (port === undefined) {
      await receiver.stop('SIGINT');
      assert.equal(receiver.output(), '', 'not even where it waits');
      stopWatching();
      return;
    }
    const wrong = started(t, ['send', ...words, `127.0.0.1:${port}`, file], { env: { XFER_KEY: formatKey(newKey()) } });
    assert.equal((await wrong.exited).exitCode, 4, wrong.output());
    const sender = started(t, ['send', ...words, '--limit', '16M', `127.0.0.1:${port}`, file], { env });
    assert.equal((await sender.exited).exitCode, 0, sender.output());
    assert.equal((await receiver.exited).exitCode, 0, receiver.output());
    const places = {
      'command lines': [...stopWatching()].join('\n'),
      'what the receiver says': receiver.output(),
      'what the sender says': sender.output(),
      'what one with a wrong key says': wrong.output(),
      'what is kept': filesBelow(join(folder, 'state')),
    };
    for (const [place, text] of Object.entries(places)) {
      for (const spelling of spellings(key)) assert.ok(!text.includes(spelling), place);
    }
  });
}

for (const words of [(key: string) => ['--key', key], (key: string) => [`--key=${key}`]]) {
  test(`a key on the command line is not in the list of processes: ${words('KEY').join(' ')}`, linuxOnly, async (t) => {
    const { target, file } = prepare(t);
    const key = formatKey(newKey());
    const commandLine = ({ child }: Started) => readFileSync(`/proc/${child.pid}/cmdline`, 'latin1');
    const receiver = started(t, ['recv', '-l', ...words(key), '127.0.0.1:0', target]);
    const [, port] = await receiver.waitForLine(/waiting on \S*:(\d+)/);
    const sender = started(t, ['send', ...words(key), '--limit', '8M', `127.0.0.1:${port}`, file]);
    await sender.waitForLine(/connected to/);
    for (const end of [receiver, sender]) {
      for (const spelling of spellings(key)) assert.ok(!commandLine(end).includes(spelling));
      assert.match(end.output(), /others on this machine could see it: --key-file hides it/);
      for (const spelling of spellings(key)) assert.ok(!end.output().includes(spelling));
    }
    assert.equal((await sender.exited).exitCode, 0, sender.output());
    assert.equal((await receiver.exited).exitCode, 0, receiver.output());
  });
}

test('an end that made the key says it in the lines to paste, and nowhere else', bounded, async (t) => {
  const { target, file } = prepare(t);
  const receiver = started(t, ['recv', '-v', '127.0.0.1:0', '-l', target]);
  const [, key, at] = await receiver.waitForLine(/at the other end: xfer send --key (\S+) (\S+) FILE\.\.\.\n/);
  const sender = started(t, ['send', '-v', at as string, file], { env: { XFER_KEY: key as string } });
  assert.equal((await sender.exited).exitCode, 0, sender.output());
  assert.equal((await receiver.exited).exitCode, 0, receiver.output());
  assert.equal(receiver.output().split(key as string).length - 1, 1);
  assert.ok(!sender.output().includes(key as string));
});

interface Record_ {
  readonly type: string;
  readonly [field: string]: unknown;
}

function recordsOf(end: Started): Record_[] {
  return end
    .output()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record_);
}

test('each end tells the whole story in JSON', bounded, async (t) => {
  const { folder, target, file } = prepare(t);
  const key = join(folder, 'key');
  const other = join(folder, 'other');
  writeFileSync(other, 'here');
  writeFileSync(join(target, 'other'), 'there');
  const receiver = started(t, ['recv', '-l', '--json', '--key-file', key, '127.0.0.1:0', target]);
  const [, port] = await receiver.waitForLine(/"port":(\d+)/);
  const at = `127.0.0.1:${port}`;
  const sender = started(t, ['send', '--json', '--limit', '20M', '--key-file', key, at, file, other]);
  assert.equal((await sender.exited).exitCode, 9, sender.output());
  assert.equal((await receiver.exited).exitCode, 9, receiver.output());
  const [received, sent] = [recordsOf(receiver), recordsOf(sender)];
  const types = (records: Record_[]) => [...new Set(records.map(({ type }) => type))];
  for (const type of ['listening', 'offer', 'start', 'progress', 'finish', 'fail', 'done', 'error']) {
    assert.ok(types(received).includes(type), `${type} of the receiver: ${types(received)}`);
  }
  for (const type of ['connected', 'plan', 'start', 'progress', 'finish', 'fail', 'done', 'error']) {
    assert.ok(types(sent).includes(type), `${type} of the sender: ${types(sent)}`);
  }
  const offer = received.find(({ type }) => type === 'offer');
  assert.deepEqual(offer?.things, [
    { name: 'file.bin', kind: 'file', size: 8 << 20 },
    { name: 'other', kind: 'file', size: 4 },
  ]);
  const digest = (records: Record_[]) =>
    records.find(({ type, path }) => type === 'finish' && String(path).endsWith('file.bin'))?.digest;
  assert.match(String(digest(received)), /^[0-9a-f]{64}$/);
  assert.equal(digest(received), digest(sent) ?? digest(received));
});
