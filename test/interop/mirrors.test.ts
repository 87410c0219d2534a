/** Programs that copy a whole folder by the links of its pages, beside the listing of python3. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { findProgram, needs } from '../support/peers.js';
import { serve, temporaryFolder, until } from '../transports/http/listen/rig.js';

const NAMES = [
  'plain.txt',
  'two words.txt',
  'percent%41',
  '100%.txt',
  'a#b.txt',
  'a?b.txt',
  'a&b.txt',
  'a;b.txt',
  'quote".txt',
  "apostrophe'.txt",
  '<angle>.txt',
  'back\\slash.txt',
  'plus+.txt',
  'host:path.txt',
  '[brackets].txt',
  'star*.txt',
  'new\nline.txt',
  '~tilde.txt',
  'at@=comma,.txt',
  'emoji 👩‍🚀.txt',
  '日本語.txt',
  'é NFC.txt',
  'below/two words.txt',
  'below/de#ep/er?.txt',
] as const;

/** A README full of links, and a sort that could be followed: neither may bring a file that is not there. */
const README = '[nowhere](nowhere.txt) [outside](../outside) ![picture](no-picture.png)\n';

async function makeTree(t: TestContext): Promise<string> {
  const root = await temporaryFolder(t);
  for (const name of NAMES) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), `what ${name} holds`);
  }
  await writeFile(join(root, 'README.md'), README);
  return root;
}

/** python3 -m http.server on a free port, which it says on its first line. */
async function servePython(t: TestContext, root: string): Promise<string> {
  const args = ['-u', '-m', 'http.server', '0', '--bind', '127.0.0.1', '--directory', root];
  const child: ChildProcess = spawn(findProgram('python3') as string, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  await until(() => /\n/.test(said) || child.exitCode !== null);
  const port = / port (\d+) /.exec(said)?.[1];
  if (port) return `http://127.0.0.1:${port}`;
  throw new Error('python3 does not serve');
}

interface Mirror {
  readonly program: string;
  args(url: string, folder: string): string[];
}

const MIRRORS: readonly Mirror[] = [
  {
    program: 'wget',
    args: (url) => [
      '-q',
      '--no-config',
      '--tries=1',
      '-r',
      '-l',
      '9',
      '-np',
      '-nH',
      '--restrict-file-names=nocontrol',
      `${url}/`,
    ],
  },
  { program: 'lftp', args: (url, folder) => ['--norc', '-c', `set net:max-retries 1; mirror ${url}/ ${folder}`] },
  { program: 'rclone', args: (url, folder) => ['copy', '--retries', '1', '--http-url', `${url}/`, ':http:', folder] },
];

/** Copies, and tells which of the names came back byte for byte, and what else came. */
async function mirrored(
  t: TestContext,
  { program, args }: Mirror,
  url: string,
): Promise<{ back: string[]; more: string[] }> {
  const folder = await temporaryFolder(t);
  const env = { PATH: process.env.PATH, HOME: await temporaryFolder(t), LANG: 'C.UTF-8', no_proxy: '*' };
  // What a program thinks of the whole is not asked: what it brought is looked at.
  await promisify(execFile)(findProgram(program) as string, args(url, folder), {
    cwd: folder,
    env,
    timeout: 40_000,
  }).catch(() => undefined);
  const back: string[] = [];
  for (const name of NAMES) {
    const body = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    if (body === `what ${name} holds`) back.push(name);
  }
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = all
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return { back, more: files.filter((file) => !(NAMES as readonly string[]).includes(file)) };
}

for (const mirror of MIRRORS) {
  const options = { ...needs(mirror.program, 'python3'), timeout: 120_000 };
  test(
    `${mirror.program} brings back as many files as from python3, and none that is not there`,
    options,
    async (t) => {
      const root = await makeTree(t);
      const { url } = await serve(t, root);
      const ours = await mirrored(t, mirror, url);
      const theirs = await mirrored(t, mirror, await servePython(t, root));
      const lost = NAMES.filter((name) => !ours.back.includes(name));
      t.diagnostic(
        `${ours.back.length} of ${NAMES.length}; from python3 ${theirs.back.length}; lost ${JSON.stringify(lost)}`,
      );
      assert.ok(ours.back.length >= theirs.back.length, `lost ${JSON.stringify(lost)}`);
      assert.ok(Math.min(ours.back.length, theirs.back.length) >= NAMES.length - 1);
      // wget keeps the pages that it followed, and what it makes of a name that it decodes twice.
      const own = /(?:^|\/)index\.html(?:\.\d)?$|^README\.md$|^percentA$/;
      assert.deepEqual(
        ours.more.filter((file) => !own.test(file)),
        [],
      );
    },
  );
}
