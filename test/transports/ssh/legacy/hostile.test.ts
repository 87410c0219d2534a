/** Senders that break the rules of the old protocol: nothing outside the target, nothing that was not asked for, no hang. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CopyFailure, copy } from '#xfer/copy/index.js';
import { type ErrorCode, XferError } from '#xfer/errors.js';
import { LocalSink } from '#xfer/transports/local/sink.js';
import type { SshOptions } from '#xfer/transports/ssh/index.js';
import { openLegacySource } from '#xfer/transports/ssh/legacy/open.js';
import { runXfer } from '../../../support/run-xfer.js';
import { farLocation, localCarrier } from './local-scp.js';

const TIME = { timeout: 8000 };
const OUT = '../../../../../../../../../../..';

interface Ground {
  /** Holds what was there before; beside it nothing may appear. */
  readonly target: string;
  readonly folder: string;
  /** A far scp that says this, takes no notice of any answer, and ends when it is not listened to. */
  sender(says: string | Buffer): string;
}

function makeGround(t: TestContext): Ground {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-hostile-scp-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const target = join(folder, 'inside', 'target');
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, 'mine'), 'mine');
  writeFileSync(join(folder, 'inside', 'secret'), 'secret');
  const sender = (says: string | Buffer) => {
    writeFileSync(join(folder, 'says'), Buffer.from(says as string, 'latin1'));
    return `cat '${join(folder, 'says')}'; exec cat > /dev/null`;
  };
  return { folder, target, sender };
}

function treeOf(ground: Ground): string[] {
  return (readdirSync(join(ground.folder, 'inside'), { recursive: true }) as string[]).sort();
}

async function download(ground: Ground, says: string | Buffer, path: string, options: SshOptions) {
  const carrier = localCarrier(() => ground.sender(says));
  const source = openLegacySource(carrier, farLocation(path), { recursive: false, preserve: false, ...options });
  const failures: CopyFailure[] = [];
  try {
    const { recursive = false, preserve = false } = options;
    const result = await copy([source], new LocalSink(ground.target), { recursive, preserve });
    failures.push(...result.failures);
  } catch (error) {
    assert.ok(error instanceof XferError, String(error));
    failures.push({ path: '', error });
  } finally {
    await source.close();
  }
  return failures.map(({ error }) => error);
}

interface Row {
  readonly name: string;
  readonly says: string | Buffer;
  readonly code: ErrorCode;
  readonly message: RegExp;
  /** Allowed to be there afterwards; else nothing new is. */
  readonly arrives?: readonly string[];
  readonly path?: string;
  /** Said by every way of asking where absent. */
  readonly only?: 'plain' | 'recursive';
}

const ROWS: readonly Row[] = [
  {
    name: 'an absolute directory',
    says: 'D0755 0 /tmp/rootpathdir\nC0755 2 f\nX\n\0E\n',
    code: 'UNSAFE_PATH',
    message: /\/tmp\/rootpathdir, which holds a \//,
  },
  { name: 'a directory above', says: `D0755 0 ${OUT}/dotpathdir\n`, code: 'UNSAFE_PATH', message: /dotpathdir/ },
  { name: 'the directory above', says: 'D0755 0 ..\n', code: 'UNSAFE_PATH', message: /the name \.\./ },
  { name: 'an empty name', says: 'D0555 0 \nX\n', code: 'UNSAFE_PATH', message: /an empty name/ },
  { name: 'the target itself (CVE-2018-20685)', says: 'D0555 0 .\nE\n', code: 'UNSAFE_PATH', message: /the name \./ },
  { name: 'a file above', says: 'C0644 2 ../secret\nhi\0', code: 'UNSAFE_PATH', message: /\.\.\/secret/ },
  { name: 'an absolute file', says: 'C0644 2 /etc/x\nhi\0', code: 'UNSAFE_PATH', message: /\/etc\/x/ },
  { name: 'a name with NUL', says: 'C0644 2 asked\0x\nhi\0', code: 'UNSAFE_PATH', message: /NUL/ },
  {
    name: 'another file (CVE-2019-6111)',
    says: 'C0755 2 extrafile\nhi\0',
    code: 'PROTOCOL',
    message: /extrafile, which was not asked for/,
  },
  {
    name: 'a second file',
    says: 'C0644 2 asked\nhi\0C0644 2 mine\nno\0',
    code: 'PROTOCOL',
    message: /sent mine, which was not asked for/,
    arrives: ['asked'],
  },
  {
    name: 'the same file again',
    says: 'C0644 2 asked\nhi\0C0644 2 asked\nno\0',
    code: 'PROTOCOL',
    message: /not asked for/,
    arrives: ['asked'],
  },
  {
    name: 'a directory, unasked',
    says: 'D0755 0 asked\nE\n',
    code: 'PROTOCOL',
    message: /a directory, asked, without/,
    only: 'plain',
  },
  {
    name: 'another directory',
    says: 'D0755 0 .ssh\nC0644 2 authorized_keys\nhi\0E\n',
    code: 'PROTOCOL',
    message: /\.ssh, which was not asked for/,
    only: 'recursive',
  },
  {
    name: 'a name above in a directory',
    says: 'D0755 0 asked\nC0644 2 ../x\nhi\0E\n',
    code: 'UNSAFE_PATH',
    message: /\.\.\/x/,
    arrives: ['asked'],
    only: 'recursive',
  },
  {
    name: 'a directory above in a directory',
    says: 'D0755 0 asked\nD0755 0 ..\nC0644 2 secret\nhi\0',
    code: 'UNSAFE_PATH',
    message: /the name \.\./,
    arrives: ['asked'],
    only: 'recursive',
  },
  {
    name: 'more ends than beginnings',
    says: 'D0755 0 asked\nE\nE\nD0755 0 x\n',
    code: 'PROTOCOL',
    message: /not begun/,
    arrives: ['asked'],
    only: 'recursive',
  },
  { name: 'an end at the start', says: 'E\n', code: 'PROTOCOL', message: /not begun/ },
  {
    name: 'a tree without end',
    says: `D0755 0 asked\n${'D0755 0 d\n'.repeat(100)}`,
    code: 'PROTOCOL',
    message: /more than 64 deep/,
    arrives: Array.from({ length: 64 }, (_, at) => ['asked', ...Array(at).fill('d')].join('/')),
    only: 'recursive',
  },
  { name: 'a mode of three digits', says: 'C755 2 asked\nhi\0', code: 'PROTOCOL', message: /C755/ },
  { name: 'a size that is no number', says: 'C0644 -2 asked\nhi\0', code: 'PROTOCOL', message: /C0644 -2/ },
  { name: 'a size beyond all', says: 'C0644 18446744073709551616 asked\nhi\0', code: 'PROTOCOL', message: /1844/ },
  {
    name: 'a line without an end',
    says: 'C0644 2 '.padEnd(200_000, 'a'),
    code: 'PROTOCOL',
    message: /a line without an end/,
  },
  {
    name: 'words of a shell',
    says: 'Have a nice day\nC0644 2 asked\nhi\0',
    code: 'PROTOCOL',
    message: /Have a nice day came/,
  },
  { name: 'more bytes than announced', says: 'C0644 2 asked\nhello\0', code: 'PROTOCOL', message: /more bytes came/ },
  {
    name: 'a file that the sender calls bad',
    says: 'C0644 4 asked\nhi\0\0\x01scp: asked: Input/output error\n',
    code: 'SOURCE_CHANGED',
    message: /Input\/output error/,
  },
  { name: 'a fatal word', says: '\x02scp: go away\n', code: 'PROTOCOL', message: /read go away/ },
  {
    name: 'a fatal word after a file',
    says: 'C0644 2 asked\nhi\x02scp: gone\n',
    code: 'SOURCE_CHANGED',
    message: /gone/,
  },
  {
    name: 'control characters in a name',
    says: 'C0644 2 \x1b[2J\revil\nhi\0',
    code: 'PROTOCOL',
    message: /sent \\x1b\[2J\\x0devil/,
  },
  {
    name: 'control characters in a message',
    says: '\x02\x1b]0;evil\x07\n',
    code: 'PROTOCOL',
    message: /\\x1b\]0;evil\\x07/,
  },
  {
    name: 'complaints without end',
    says: '\x01no\n'.repeat(20_000),
    code: 'PROTOCOL',
    message: /more than 10000 complaints/,
  },
  {
    name: 'a name that a pattern does not match',
    says: 'C0644 2 a.txt\nhi\0C0644 2 b.sh\nno\0',
    code: 'PROTOCOL',
    message: /b\.sh, which was not asked for/,
    arrives: ['a.txt'],
    path: '/srv/*.txt',
  },
  {
    name: 'a pattern and a path',
    says: 'C0644 2 ../a.txt\nhi\0',
    code: 'UNSAFE_PATH',
    message: /\.\.\/a\.txt/,
    path: '*',
  },
  {
    name: 'a pattern and the directory above',
    says: 'D0755 0 ..\n',
    code: 'UNSAFE_PATH',
    message: /the name \.\./,
    path: '*',
  },
];

const WAYS: readonly (SshOptions & { readonly way: 'plain' | 'recursive' })[] = [
  { way: 'plain' },
  { way: 'recursive', recursive: true },
  { way: 'recursive', recursive: true, preserve: true },
];

for (const { name, says, code, message, arrives = [], path = '/srv/asked', only } of ROWS) {
  for (const { way, ...options } of WAYS) {
    if (only !== undefined && only !== way) continue;
    test(`${name}, asked with ${JSON.stringify(options)}`, TIME, async (t) => {
      const ground = makeGround(t);
      const errors = await download(ground, says, path, options);
      const error = errors.find(({ message: text }) => message.test(text));
      assert.ok(error, errors.map((each) => each.message).join('\n'));
      assert.equal(error.code, code);
      assert.doesNotMatch(error.message, /\p{Cc}/u);
      const known = ['secret', 'target', 'target/mine', ...arrives.map((each) => `target/${each}`)];
      assert.deepEqual(treeOf(ground), known.sort());
      assert.equal(statSync(ground.target).mode & 0o777, 0o755);
    });
  }
}

test('-T takes what a pattern does not match, but no path', TIME, async (t) => {
  const ground = makeGround(t);
  const loose = { strictNames: false };
  const [error] = await download(ground, 'C0644 2 b.sh\nhi\0C0644 2 ../x\nhi\0', '*.txt', loose);
  assert.equal(error?.code, 'UNSAFE_PATH');
  assert.deepEqual(treeOf(ground), ['secret', 'target', 'target/b.sh', 'target/mine']);
});

test('bits that give away rights are kept with -p alone (CVE-2026-35385)', TIME, async (t) => {
  const says = 'C6755 2 asked\nhi\0';
  for (const [options, mode] of [
    [{}, 0o755],
    [{ recursive: true }, 0o755],
    [{ preserve: true }, 0o6755],
  ] as const) {
    const ground = makeGround(t);
    await download(ground, says, 'asked', options);
    assert.equal(statSync(join(ground.target, 'asked')).mode & 0o7777 & ~0o022, mode & ~0o022);
  }
});

test('a sender that breaks off leaves nothing under the name', TIME, async (t) => {
  const ground = makeGround(t);
  const carrier = localCarrier(() => `printf 'C0644 5 asked\\nhi'`);
  const source = openLegacySource(carrier, farLocation('asked'), { recursive: false, preserve: false });
  await assert.rejects(copy([source], new LocalSink(ground.target)), (error) => {
    assert.ok(error instanceof XferError && error.code === 'DISCONNECTED', String(error));
    return true;
  });
  await source.close();
  assert.deepEqual(treeOf(ground), ['secret', 'target', 'target/mine']);
});

test('the command ends with an error, and says the name so that no terminal obeys it', TIME, async (t) => {
  const ground = makeGround(t);
  const program = join(ground.folder, 'ssh');
  for (const [says, exit] of [
    ['C0644 2 \x1b[2Jevil\nhi\0', 6],
    ['D0555 0 .\n', 8],
    ['C0644 2 asked\nhi\0C0644 2 \x9bother\nhi\0', 6],
  ] as const) {
    writeFileSync(program, `#!/bin/sh\n${ground.sender(says)}\n`, { mode: 0o755 });
    const { exitCode, stderr } = await runXfer(['scp', '-r', '-O', '-S', program, 'h:asked', ground.target]);
    assert.equal(exitCode, exit, stderr);
    assert.doesNotMatch(stderr.replaceAll('\n', ''), /\p{Cc}/u);
  }
});
