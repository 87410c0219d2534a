/** Files that are written where they are: by `--inplace`, and where nothing else can be done. */
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { patternBytes } from '../support/fixtures.js';
import { needs } from '../support/peers.js';
import { runProgram, runXfer } from '../support/run-xfer.js';
import { startSshd } from '../support/sshd.js';

const program = { ...needs('sshd', 'ssh-keygen'), timeout: 60_000 };

test(
  '--inplace keeps the inode and the hard links of a file that is there, and nothing is left beside it',
  program,
  async () => {
    const sshd = await startSshd();
    try {
      for (const [way, bytes, ...options] of [
        ['up', 100],
        ['up', 9 << 20],
        ['down', 100],
        ['down', 9 << 20],
        ['up', 101, '--verify'],
        ['up', 10 << 20, '--verify'],
        ['down', 101, '--verify'],
      ] as const) {
        const folder = join(sshd.directory, `${way}-${bytes}`);
        mkdirSync(folder);
        const [source, target, link] = ['from', 'to', 'link'].map((name) => join(folder, name)) as [
          string,
          string,
          string,
        ];
        writeFileSync(source, Buffer.alloc(bytes, 'new'));
        writeFileSync(target, Buffer.alloc(bytes + 5000, 'old'), { mode: 0o640 });
        linkSync(target, link);
        const { ino } = statSync(target);
        const words = way === 'up' ? [source, `h:${target}`] : [`h:${source}`, target];
        const { exitCode, stderr } = await runXfer(['scp', '--inplace', ...options, '-F', sshd.configFile, ...words]);
        assert.equal(exitCode, 0, stderr);
        assert.ok(readFileSync(link).equals(readFileSync(source)), `${way} ${bytes}`);
        assert.deepEqual([statSync(target).ino, statSync(target).mode & 0o777], [ino, 0o640]);
        assert.deepEqual(readdirSync(folder).sort(), ['from', 'link', 'to']);
        const again = await runXfer(['scp', '-q', '-F', sshd.configFile, ...words]);
        assert.equal(again.exitCode, 0, again.stderr);
        assert.notEqual(statSync(target).ino, ino, 'without it the file is replaced');
      }
    } finally {
      await sshd.stop();
    }
  },
);

test('a new file is whole or absent with --inplace too', program, async () => {
  const sshd = await startSshd();
  try {
    const [source, target] = ['from', 'to'].map((name) => join(sshd.directory, name)) as [string, string];
    writeFileSync(source, Buffer.alloc(30 << 20, 'new'));
    const words = ['scp', '--inplace', '--limit', '20M', '-F', sshd.configFile, source, `h:${target}`];
    const seen = new Set<string>();
    await runXfer(words, {
      killWhen: () => {
        for (const name of readdirSync(sshd.directory)) seen.add(name);
        return seen.size > 1;
      },
    });
    assert.deepEqual([seen.has('from'), seen.has('to'), seen.size], [true, false, 2]);
  } finally {
    await sshd.stop();
  }
});

test('a large file goes into a pipe in its order', {
  ...needs('sshd', 'ssh-keygen', 'mkfifo'),
  timeout: 60_000,
}, async () => {
  const sshd = await startSshd();
  try {
    const [source, pipe] = ['from', 'pipe'].map((name) => join(sshd.directory, name)) as [string, string];
    const bytes = patternBytes(30 << 20);
    writeFileSync(source, bytes);
    await runProgram('mkfifo', [pipe]);
    const copying = runXfer(['scp', '-q', '-F', sshd.configFile, `h:${source}`, pipe]);
    const [{ exitCode, stderr }, came] = await Promise.all([copying, readFile(pipe)]);
    assert.equal(exitCode, 0, stderr);
    assert.ok(came.equals(bytes));
  } finally {
    await sshd.stop();
  }
});

test('-X changes nothing but how the bytes are asked for', program, async () => {
  const sshd = await startSshd({ sftpArguments: ['-l', 'DEBUG3', '-e'] });
  try {
    const source = join(sshd.directory, 'from');
    writeFileSync(source, Buffer.alloc(200_000, 'abcdefghijk'));
    for (const [at, words] of [
      ['up', [source, `h:${sshd.directory}/up`]],
      ['down', [`h:${source}`, join(sshd.directory, 'down')]],
    ] as const) {
      for (const tuning of [['buffer=1000'], ['buffer=5000', 'nrequests=1'], ['nrequests=3']]) {
        const options = tuning.flatMap((each) => ['-X', each]);
        const { exitCode, stderr } = await runXfer(['scp', '-q', ...options, '-F', sshd.configFile, ...words]);
        assert.equal(exitCode, 0, stderr);
        assert.ok(readFileSync(join(sshd.directory, at)).equals(readFileSync(source)), `${at} ${tuning}`);
      }
    }
  } finally {
    await sshd.stop();
  }
});

test('a device of the server takes a file', program, async () => {
  const sshd = await startSshd();
  try {
    const source = join(sshd.directory, 'from');
    for (const bytes of [2, 9 << 20]) {
      writeFileSync(source, Buffer.alloc(bytes, 'new'));
      const { exitCode, stderr } = await runXfer(['scp', '-F', sshd.configFile, source, 'h:/dev/null']);
      assert.equal(exitCode, 0, stderr);
      assert.ok(statSync('/dev/null').isCharacterDevice());
    }
  } finally {
    await sshd.stop();
  }
});
