/** `xfer get -r` from the servers that people have: a tree of odd names comes back byte for byte. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort } from '../support/free-port.js';
import { findProgram, needs } from '../support/peers.js';
import { runXfer, type Started, startProgram, startXfer } from '../support/run-xfer.js';
import { differences, makeRandomFile } from '../support/trees.js';

const NAMES = [
  ...['plain.txt', 'two words.txt', '100%.txt', 'percent%41.txt', 'a#b.txt', 'a?b.txt', 'a&b;c=d.txt', `q"'.txt`],
  ...['<b>tag.txt', 'plus+plus.txt', 'colon:name.txt', '[brackets] {braces}.txt', 'star*.txt', '~tilde.txt'],
  ...['$HOME `id` !x.txt', 'emoji 👩‍🚀.txt', '日本語.txt', 'e\u0301 nfd.txt', 'deep er/sub#folder/file ?.txt', 'empty'],
];
const limit = { timeout: 60_000 };
const OLD = 1_600_000_000;

describe('folders from other servers', limit, () => {
  let root: string;
  let tree: string;
  const running: Started[] = [];

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'xfer-trees-'));
    tree = join(root, 'tree');
    for (const name of NAMES) {
      mkdirSync(dirname(join(tree, name)), { recursive: true });
      writeFileSync(join(tree, name), name === 'empty' ? '' : `content of ${name}`);
      utimesSync(join(tree, name), OLD, OLD);
    }
    makeRandomFile(join(tree, 'deep er', 'large'), 10 << 20);
    utimesSync(join(tree, 'deep er', 'large'), OLD, OLD);
  });
  after(async () => {
    for (const server of running) await server.stop();
    rmSync(root, { recursive: true, force: true });
  });

  async function comesBack(url: string, label: string): Promise<void> {
    const out = join(root, label);
    const first = await runXfer(['get', '-r', url, '-o', out]);
    assert.equal(first.exitCode, 0, first.stderr);
    assert.deepEqual(differences(tree, out), []);
    assert.equal(Math.floor(statSync(join(out, 'deep er/large')).mtimeMs / 1000), OLD);
    rmSync(join(out, 'plain.txt'));
    const again = await runXfer(['get', '-r', '-c', url, '-o', out]);
    assert.equal(again.exitCode, 0, again.stderr);
    assert.match(again.stderr, new RegExp(`1 file, .*${NAMES.length} left out`));
    assert.deepEqual(differences(tree, out), []);
    const refused = await runXfer(['get', '-r', url, '-o', out]);
    assert.equal(refused.exitCode, 8, refused.stderr);
    const part = join(root, `${label}-part`);
    const some = await runXfer(['get', '-r', '--exclude', '*.txt', url, '-o', part]);
    assert.equal(some.exitCode, 0, some.stderr);
    assert.ok(!existsSync(join(part, 'plain.txt')) && existsSync(join(part, 'empty')));
  }

  test('xfer serve', limit, async () => {
    const server = startXfer(['serve', '-q', '-b', '127.0.0.1', '-p', '0', tree]);
    running.push(server);
    const [url] = await server.waitForLine(/http:\/\/127\.0\.0\.1:\d+\//);
    await comesBack(url, 'xfer');
  });

  test('python3 -m http.server', { ...needs('python3'), ...limit }, async () => {
    const options = ['-u', '-m', 'http.server', '0', '-b', '127.0.0.1', '-d', tree];
    const server = startProgram(findProgram('python3') ?? '', options);
    running.push(server);
    const [, port] = await server.waitForLine(/port (\d+)/);
    await comesBack(`http://127.0.0.1:${port}/`, 'python');
  });

  test('rclone serve http', { ...needs('rclone'), ...limit }, async () => {
    const port = await freePort();
    const server = startProgram(findProgram('rclone') ?? '', [
      'serve',
      'http',
      '-v',
      '--addr',
      `127.0.0.1:${port}`,
      tree,
    ]);
    running.push(server);
    await untilAnswers(`http://127.0.0.1:${port}/`);
    await comesBack(`http://127.0.0.1:${port}/`, 'rclone');
  });

  for (const form of ['html', 'json']) {
    test(`nginx, autoindex_format ${form}`, { ...needs('nginx'), ...limit }, async () => {
      const port = await freePort();
      const place = join(root, `nginx-${form}`);
      mkdirSync(place);
      const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
      writeFileSync(
        join(place, 'conf'),
        `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; pid ${place}/pid; error_log ${place}/errors;
events {} http { access_log off; ${kinds.map((kind) => `${kind}_temp_path ${place}/${kind};`).join(' ')}
server { listen 127.0.0.1:${port}; root "${tree}"; autoindex on; autoindex_format ${form}; } }`,
      );
      const server = startProgram(findProgram('nginx') ?? '', ['-c', join(place, 'conf'), '-e', join(place, 'errors')]);
      running.push(server);
      await untilAnswers(`http://127.0.0.1:${port}/`);
      await comesBack(`http://127.0.0.1:${port}/`, `out-${form}`);
    });
  }
});

async function untilAnswers(url: string): Promise<void> {
  for (;;) {
    if (
      await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
