/** Rows 1 and 2: no spelling of a way up leaves the share, at whatever is asked. */
import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { HttpListenOptions } from '#xfer/transports/http/listen/index.js';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { Dice, pickSeed } from '../../../../support/random.js';
import { exchange, serve, temporaryFolder } from '../rig.js';
import { makeFiles } from '../site/site-rig.js';

const MARKER = 'OUTSIDE-OF-THE-SHARE';

/** Of copyparty's test of the same. */
const ALPHABET = ['%', '25', '2e', '2f', '.', '/', '5c', '\\'];
const ALL_UP_TO = 4;
const LONGEST = 8;
const SAMPLES = 3000;

/** Fewer than a connection may have that wait. */
const AT_ONCE = 100;

function products(length: number): string[] {
  return length === 0 ? [''] : products(length - 1).flatMap((text) => ALPHABET.map((piece) => text + piece));
}

function climbs(dice: Dice): string[] {
  const all = Array.from({ length: ALL_UP_TO }, (_, at) => products(at + 1)).flat();
  const longer = Array.from({ length: SAMPLES }, () => {
    const length = ALL_UP_TO + 1 + dice.below(LONGEST - ALL_UP_TO);
    return Array.from({ length }, () => dice.of(ALPHABET)).join('');
  });
  return [...all, ...longer];
}

interface Endpoint {
  readonly method?: string;
  readonly before: string;
  readonly after: string;
  readonly options?: Partial<HttpListenOptions>;
}

const ENDPOINTS: Record<string, Endpoint> = {
  'a file': { before: '/in/', after: 'secret' },
  'a file of a sibling': { before: '/', after: 'root_evil/secret' },
  'a listing as JSON': { before: '/', after: 'root_evil/?json' },
  'a listing as text': { before: '/', after: '?plain' },
  'an archive': { before: '/', after: 'root_evil/?archive=tar' },
  'a download': { before: '/', after: 'secret?download' },
  'a rendered text': { before: '/', after: 'secret.md?render' },
  'a page of a site': { before: '/', after: 'secret', options: { site: true } },
  'a page below a base path': { before: '/base/', after: 'secret', options: { basePath: '/base', hidden: true } },
  'a script': { method: 'POST', before: '/cgi-bin/', after: 'outside.sh', options: { cgi: {} } },
  'what a script is told': { before: '/cgi-bin/in.sh/', after: 'secret', options: { cgi: {} } },
};

/** Gives what it is told of: a way up in that would lead out. */
const INSIDE = '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"; cat "$PATH_TRANSLATED" 2>/dev/null; true\n';
const OUTSIDE = `#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n${MARKER}'\n`;

test('all short ways up, and a sample of the longer ones', { timeout: 120_000 }, async (t) => {
  const seed = pickSeed();
  t.diagnostic(`XFER_SEED=${seed}`);
  const folder = await temporaryFolder(t);
  const root = join(folder, 'root');
  await makeFiles(folder, {
    'root/in/file': 'inside',
    'root/cgi-bin/in.sh': INSIDE,
    'root_evil/secret': MARKER,
    secret: MARKER,
    'secret.md': MARKER,
    'outside.sh': OUTSIDE,
  });
  for (const script of ['root/cgi-bin/in.sh', 'outside.sh']) await chmod(join(folder, script), 0o755);
  const ways = climbs(new Dice(seed));
  for (const [name, { method = 'GET', before, after, options = {} }] of Object.entries(ENDPOINTS)) {
    const { port, listener } = await serve(t, root, { ...options, share: await openLocalSource(root) });
    // A script takes longer to start than all else does to answer.
    const tried = name.startsWith('what a script') ? ways.slice(0, 300) : ways;
    for (let at = 0; at < tried.length; at += AT_ONCE) {
      const batch = tried.slice(at, at + AT_ONCE).map((way) => before + way + after);
      const asked = batch.map((target) => `${method} ${target} HTTP/1.1\r\nHost: test\r\n\r\n`).join('');
      const answers = await exchange(port, `${asked}GET /end HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`);
      assert.doesNotMatch(answers, /OUTSIDE-OF-THE-SHARE|"secret|^secret$|root_evil/m, `${name}: one of ${batch}`);
      const location = /^Location: (?!\.?\/(?!\/)).*$/im.exec(answers)?.[0];
      assert.equal(location, undefined, `${name}: one of ${batch}`);
    }
    await listener.close();
  }
});
