/** Row 3: what leads out of the share, or is swapped for it between a look and an open, is never given. */
import assert from 'node:assert/strict';
import { symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HttpListenOptions } from '#xfer/transports/http/listen/index.js';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { failsWith } from '../../../../support/fails-with.js';
import { type Swap, whileSwapped } from '../../../../support/swapping.js';
import { get, serve, temporaryFolder } from '../rig.js';
import { ask, makeFiles } from '../site/site-rig.js';

const MARKER = 'OUTSIDE-OF-THE-SHARE';
/** No file inside is as long. */
const OUTSIDE_BYTES = 4567;

const REQUESTS = 5000;
/** Each walks what is shared. */
const ARCHIVES = 1000;
/** Fewer than a connection may have that wait. */
const AT_ONCE = 100;

/** `/root` and, beside it, what has the same names and must not be had. */
async function makeTrees(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  const names = ['f.html', 'f.html.gz', 'index.html', 'README.md', 'a.txt'];
  const outside = MARKER.padEnd(OUTSIDE_BYTES, '.');
  await makeFiles(folder, {
    ...Object.fromEntries(names.map((name) => [`root/d/${name}`, 'inside'])),
    ...Object.fromEntries([...names, 'only-outside'].map((name) => [`outside/${name}`, outside])),
    'root/inside.txt': 'inside',
    'root/serve.txt': 'inside',
    'root_evil/secret': outside,
  });
  return folder;
}

interface Case {
  readonly targets: readonly string[];
  readonly fields?: string;
  readonly swap: (folder: string) => Swap;
  readonly options?: Partial<HttpListenOptions>;
  readonly requests?: number;
}

const directory = (folder: string): Swap => ({ at: join(folder, 'root/d'), outside: join(folder, 'outside') });
const link = (name: string, inside: string) => (folder: string) => ({
  at: join(folder, 'root', name),
  inside,
  outside: join(folder, 'outside/a.txt'),
});

const CASES: Record<string, Case> = {
  'a file': { targets: ['/link'], swap: link('link', 'inside.txt') },
  'a file in a directory': { targets: ['/d/a.txt', '/d/a.txt?download'], swap: directory },
  'a listing, with its sizes': { targets: ['/d/?json', '/d/?plain', '/d/'], swap: directory },
  'a link in a listing': { targets: ['/?json'], swap: link('link', 'inside.txt') },
  'an archive': { targets: ['/d/?archive=tar', '/d/?archive=zip'], swap: directory },
  'an archive with a link in it': {
    targets: ['/?archive=tar'],
    swap: link('link', 'inside.txt'),
    requests: ARCHIVES,
  },
  'a compressed file beside': {
    targets: ['/d/f.html'],
    fields: 'Accept-Encoding: gzip\r\n',
    swap: link('d/f.html.gz', 'a.txt'),
  },
  'the index of a directory': { targets: ['/d/'], swap: link('d/index.html', 'a.txt') },
  'a rendered text': { targets: ['/d/README.md?render'], swap: link('d/README.md', 'a.txt') },
  'a page of a site': { targets: ['/d/a.txt', '/d/', '/d'], swap: directory, options: { site: true } },
  'the error page of a site': { targets: ['/none'], swap: link('404.html', 'inside.txt'), options: { site: true } },
};

for (const [name, { targets, fields = '', swap, options = {}, requests = REQUESTS }] of Object.entries(CASES)) {
  test(`${name} that is swapped meanwhile`, { timeout: 120_000 }, async (t) => {
    const folder = await makeTrees(t);
    const root = join(folder, 'root');
    const swapped = swap(folder);
    if (swapped.inside !== undefined && !swapped.at.includes('/d/')) await symlink(swapped.inside, swapped.at);
    const { port, listener } = await serve(t, root, { ...options, share: await openLocalSource(root) });
    const answers = { given: 0, refused: 0 };
    await whileSwapped(swapped, async () => {
      while (answers.given + answers.refused < requests) {
        const batch = Array.from({ length: AT_ONCE }, (_, at) => targets[at % targets.length] as string);
        const answer = await whatComes(port, batch, fields);
        assert.doesNotMatch(answer, new RegExp(`${MARKER}|only-outside|\\b${OUTSIDE_BYTES}\\b`));
        answers.given += answer.match(/HTTP\/1\.1 200 /g)?.length ?? 0;
        answers.refused += answer.match(/HTTP\/1\.1 (?!200)\d/g)?.length ?? 0;
      }
    });
    assert.ok(answers.given > 0, 'what is inside is given');
    await listener.close();
  });
}

/** All that came over one connection, which is cut where an answer cannot be sent whole. */
function whatComes(port: number, targets: readonly string[], fields: string): Promise<string> {
  const asked = targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: test\r\n${fields}\r\n`).join('');
  return new Promise((resolve) => {
    let came = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`${asked}GET /inside.txt HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`);
    });
    socket.setEncoding('latin1').on('data', (text: string) => {
      came += text;
    });
    socket.on('error', () => undefined).once('close', () => resolve(came));
  });
}

const LINKS: Readonly<Record<string, string>> = {
  'to-file': '../outside/a.txt',
  'to-directory': '../outside',
  'to-sibling': '../root_evil',
  chain1: 'chain2',
  chain2: 'd/chain3',
  'd/chain3': '../../outside/a.txt',
  'd/f.html.br': '../../outside/f.html.gz',
  'out/index.html': '../../outside/index.html',
  'out/README.md': '../../outside/README.md',
  '404.html': '../outside/a.txt',
  absolute: '/proc/self/environ',
};

test('links that lead out, at every endpoint', { timeout: 30_000 }, async (t) => {
  const folder = await makeTrees(t);
  const root = join(folder, 'root');
  await makeFiles(root, { 'out/inside.txt': 'inside' });
  for (const [at, target] of Object.entries(LINKS)) await symlink(target, join(root, at));
  const names = Object.keys(LINKS).filter((name) => name !== 'absolute');
  for (const options of [{}, { site: true }, { single: true }]) {
    const { port } = await serve(t, root, { ...options, share: await openLocalSource(root) });
    for (const name of [...names, 'absolute', 'to-directory/a.txt', 'to-sibling/secret', 'd/f.html', 'out/', '']) {
      for (const query of ['', '/', '?json', '?plain', '?download', '?render', '?archive=tar', '?archive=zip']) {
        const answer = await get(port, `/${name}${query}`, 'Accept-Encoding: br, gzip\r\n');
        assert.doesNotMatch(answer, new RegExp(`${MARKER}|only-outside|${OUTSIDE_BYTES}|PATH=`), `/${name}${query}`);
      }
    }
    const listed = (await ask(port, '/?json')).body;
    if (!('single' in options)) assert.doesNotMatch(listed, /to-file|to-directory|chain|absolute/);
  }
});

test('rules of a site that are a link out are not read', { timeout: 10_000 }, async (t) => {
  const folder = await makeTrees(t);
  const root = join(folder, 'root');
  await writeFile(join(folder, 'rules.json'), '{"cleanUrls": "a secret of somebody else"}');
  await symlink('../rules.json', join(root, 'serve.json'));
  await assert.rejects(serve(t, root, { share: await openLocalSource(root) }), failsWith('UNSAFE_PATH', /serve\.json/));
});
