/** The same configurations and paths, asked of our site and of serve-handler by itself. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Dice, pickSeed } from '../../../../support/random.js';
import { temporaryFolder } from '../rig.js';
import { type Answer, ask, makeFiles, serveSite } from './site-rig.js';

type Config = Record<string, unknown>;
type Handler = (request: unknown, response: unknown, config: Config) => Promise<void>;

const FILES = {
  'index.html': 'home',
  'about.html': 'about',
  'about/more.txt': 'more',
  'docs/index.html': 'docs',
  'docs/1.4/index.html': 'old docs',
  'docs/guide.html': 'guide',
  'docs/guide/deep.html': 'deep',
  'lonely/picture.png': 'picture',
  'list/a.txt': 'a',
  'list/b.html': 'b',
  'list/sub/c': 'c',
  'a b.html': 'space',
  '100%.txt': 'percent',
  'ü.html': 'umlaut',
  LICENSE: 'license',
  'file.tar.gz': 'archive',
};

/** Bodies of the files that are called index.html. */
const INDEXES = ['home', 'docs', 'old docs'];

const NAMES = [
  'about',
  'docs',
  'guide',
  'list',
  'sub',
  'lonely',
  'a b',
  '100%.txt',
  'ü',
  'LICENSE',
  '1.4',
  'none',
  'x.y',
];
const ENDS = ['', '', '', '/', '.html', '/index', '/index.html', '/a.txt', '.png'];
const GLOBS = [
  '/docs/**',
  '/!list/**',
  '**/*.html',
  '/list/*',
  'docs/:any',
  '/@(list|docs)/**',
  '**',
  '*.txt',
  '/list',
];
const SOURCES = [
  '/docs/**',
  '/old/:id',
  '/x/*',
  '**/deep',
  'list/*',
  '/:a/:b',
  '/about',
  '**',
  '/none',
  '/:page.php',
  '/(d.cs)/x',
];
const TARGETS = ['/about.html', '/list', '/index.html', '/docs/guide.html', 'lonely', '/nowhere', '/a b.html', '/docs'];

function configuration(dice: Dice): Config {
  const config: Config = {};
  const maybe = (key: string, make: () => unknown): void => {
    if (dice.below(3) === 0) config[key] = make();
  };
  const globs = (): unknown => [true, false, [dice.of(GLOBS)], [dice.of(GLOBS), dice.of(GLOBS)]][dice.below(4)];
  const rules = (): unknown =>
    Array.from({ length: 1 + dice.below(3) }, () => ({ source: dice.of(SOURCES), destination: dice.of(TARGETS) }));
  maybe('cleanUrls', globs);
  maybe('directoryListing', globs);
  maybe('rewrites', rules);
  maybe('redirects', rules);
  maybe('trailingSlash', () => dice.below(2) === 0);
  maybe('renderSingle', () => dice.below(2) === 0);
  return config;
}

function somePath(dice: Dice): string {
  const parts = Array.from({ length: dice.below(4) }, () => encodeURIComponent(dice.of(NAMES)));
  return `/${parts.join('/')}${parts.length === 0 ? '' : dice.of(ENDS)}`;
}

async function serveByHandler(
  t: TestContext,
  root: string,
): Promise<(config: Config, path: string) => Promise<Answer>> {
  const handler = createRequire(import.meta.url)('serve-handler') as Handler;
  let now: Config = {};
  const server = createServer((request, response) => {
    // Where it fails it leaves its client waiting.
    handler(request, response, { ...now, public: root }).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return (config, path) => {
    now = config;
    return ask(port, path).catch(() => ({ status: 0, fields: {}, location: undefined, body: '' }));
  };
}

interface Asked {
  readonly config: Config;
  readonly path: string;
  readonly root: string;
}

/** Why an answer of ours may differ from theirs, or undefined: each row is a fault of theirs that is not repeated. */
function knownDifference({ config, path, root }: Asked, ours: Answer, theirs: Answer): string | undefined {
  const rewritten = config.rewrites !== undefined;
  const directory = rewritten || isDirectory(join(root, decodeURIComponent(path)));
  if (theirs.status === 0 && ours.status < 500) return 'they give no answer, as for a name that is not ASCII';
  if (directory && hasOtherSlash(config, path, ours, theirs)) return 'a listing has a slash at its end';
  if (INDEXES.includes(ours.body) && (isListing(theirs) || theirs.status === 404) && directory) {
    return rewritten || (config.cleanUrls ?? true) !== true ? 'an index is shown in place of a listing' : undefined;
  }
  if (!isListing(theirs) || ours.status !== 404 || config.renderSingle !== true) return undefined;
  return (config.directoryListing ?? true) !== true ? 'renderSingle brings no listing back' : undefined;
}

function hasOtherSlash(config: Config, path: string, ours: Answer, theirs: Answer): boolean {
  if (isListing(theirs)) return ours.status === 301 && ours.location === `./${path.split('/').at(-1)}/`;
  if (!isListing(ours) || config.trailingSlash !== false) return false;
  return theirs.status === 301 && theirs.location === path.replace(/(?<=.)\/$/, '');
}

function isListing({ status, body }: Answer): boolean {
  return status === 200 && /<title>(?:Files within|Index of)/.test(body);
}

function told(answer: Answer): unknown[] {
  const body = answer.status !== 200 ? '' : isListing(answer) ? 'listing' : answer.body;
  return [answer.status, answer.location, body];
}

function isDirectory(place: string): boolean {
  try {
    return statSync(place).isDirectory();
  } catch {
    return false;
  }
}

test('status, Location and bytes are those of serve-handler', { timeout: 120_000 }, async (t) => {
  const seed = pickSeed();
  t.diagnostic(`XFER_SEED=${seed}`);
  const dice = new Dice(seed);
  const root = await temporaryFolder(t);
  await makeFiles(root, FILES);
  const byHandler = await serveByHandler(t, root);
  const differences = new Map<string, number>();
  let compared = 0;
  for (let round = 0; round < Number(process.env.XFER_ROUNDS ?? 30); round += 1) {
    const config = configuration(dice);
    const site = await serveSite(t, config, FILES);
    for (let turn = 0; turn < 25; turn += 1) {
      const path = somePath(dice);
      const [ours, theirs] = [await site.get(path), await byHandler(config, path)];
      const why = knownDifference({ config, path, root }, ours, theirs);
      if (why !== undefined) {
        differences.set(why, (differences.get(why) ?? 0) + 1);
        continue;
      }
      assert.deepEqual(told(ours), told(theirs), `${path} of ${JSON.stringify(config)}`);
      compared += 1;
    }
    await site.listener.close();
  }
  t.diagnostic(`${compared} answers are the same; ${JSON.stringify(Object.fromEntries(differences))}`);
  const others = [...differences.values()].reduce((sum, count) => sum + count, 0);
  assert.ok(compared > 4 * others, 'most answers are compared');
});
