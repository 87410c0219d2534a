/** A tree of odd names, mirrored by three clients: as many files come back from `xfer serve` as from python's server, or more. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { findProgram, needs } from '../support/peers.js';
import { runProgram, type Started, startProgram, startXfer } from '../support/run-xfer.js';

const NAMES: readonly string[] = [
  'plain.txt',
  'two words.txt',
  '100%.txt',
  'percent%41.txt',
  'a#b.txt',
  'a?b.txt',
  'a&b;c=d.txt',
  `quote"double.txt`,
  "quote'single.txt",
  '<b>tag.txt',
  '>greater',
  'back\\slash.txt',
  'plus+plus.txt',
  'colon:name.txt',
  '[brackets] {braces}.txt',
  'star*.txt',
  'line\nbreak.txt',
  '~tilde.txt',
  '$HOME `id` !x.txt',
  ',comma,(round)@at.txt',
  'emoji 👩‍🚀.txt',
  '日本語.txt',
  'e\u0301 nfd.txt',
  'deep er/sub#folder/file ?.txt',
];

const root = mkdtempSync(join(tmpdir(), 'xfer-fidelity-'));
const tree = join(root, 'tree');
const servers: Started[] = [];
const urls: Record<string, string> = {};

before(async () => {
  for (const name of NAMES) {
    mkdirSync(dirname(join(tree, name)), { recursive: true });
    writeFileSync(join(tree, name), `content of ${name}`);
  }
  const own = startXfer(['serve', '-q', '-b', '127.0.0.1', '-p', '0', tree]);
  servers.push(own);
  [urls.xfer] = await own.waitForLine(/http:\/\/127\.0\.0\.1:\d+\//);
  const python = findProgram('python3');
  if (python === undefined) return;
  const theirs = startProgram(python, ['-u', '-m', 'http.server', '0', '-b', '127.0.0.1', '-d', tree]);
  servers.push(theirs);
  const [, port] = await theirs.waitForLine(/port (\d+)/);
  urls.python = `http://127.0.0.1:${port}/`;
});

after(async () => {
  for (const server of servers) await server.stop();
  rmSync(root, { recursive: true, force: true });
});

const clients: Record<string, (url: string, folder: string) => string[]> = {
  wget: (url, folder) => [
    ...['-q', '--no-config', '--tries=1', '-r', '-np', '-nH', '--restrict-file-names=nocontrol'],
    ...['-R', 'index.html*', '-P', folder, url],
  ],
  lftp: (url, folder) => [
    '-c',
    `set net:max-retries 1; set net:timeout 10; open ${url}; mirror --no-perms / "${folder}"`,
  ],
  rclone: (url, folder) => ['copy', '-q', '--http-url', url, ':http:', folder],
};

/** Names whose files are there with their bytes. */
function restored(folder: string): string[] {
  return NAMES.filter((name) => {
    try {
      return readFileSync(join(folder, name), 'utf8') === `content of ${name}`;
    } catch {
      return false;
    }
  });
}

for (const [client, args] of Object.entries(clients)) {
  test(`${client} restores at least as many of ${NAMES.length} odd names as from python's server`, {
    ...needs(client, 'python3'),
    timeout: 60_000,
  }, async (t) => {
    const found: Record<string, string[]> = {};
    for (const [server, url] of Object.entries(urls)) {
      const folder = join(root, `${client}-${server}`);
      mkdirSync(folder);
      await runProgram(client, args(url, folder), { env: { HOME: root, no_proxy: '*' } });
      found[server] = restored(folder);
    }
    const { xfer = [], python = [] } = found;
    t.diagnostic(`${client}: ${xfer.length} from xfer, ${python.length} from python`);
    const lost = python.filter((name) => !xfer.includes(name));
    assert.deepEqual(lost, []);
    assert.ok(xfer.length >= NAMES.length - 1, NAMES.filter((name) => !xfer.includes(name)).join(', '));
  });
}
