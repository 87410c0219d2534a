/** A site that does not stand at the root of its host: below a base path, a token, or both. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpListenOptions } from '#xfer/transports/http/listen/index.js';
import { serveSite } from './site-rig.js';

const OUTCOME = { timeout: 20_000 };
const TOKEN = 'abcdefghijklmnopqrstuvwxyz';

const RULES = {
  trailingSlash: true,
  redirects: [
    { source: '/old/:name', destination: '/new/:name' },
    { source: '/out', destination: 'https://example.org/x', type: 302 },
  ],
  rewrites: [{ source: '/app/**', destination: '/index.html' }],
};
const FILES = { 'index.html': 'home', 'about.html': '', 'list/a.txt': '', '404.html': 'lost' };

const PREFIXES: Record<string, Partial<HttpListenOptions>> = {
  '': {},
  '/docs': { basePath: '/docs' },
  [`/${TOKEN}`]: { token: TOKEN },
  [`/a/b%20c/${TOKEN}`]: { basePath: '/a/b c/', token: TOKEN },
};

for (const prefix of Object.keys(PREFIXES)) {
  const shown = prefix.replace(TOKEN, 'TOKEN') || '/';
  const options = PREFIXES[prefix] as Partial<HttpListenOptions>;

  test(`at ${shown} each redirect stays below it`, OUTCOME, async (t) => {
    const { get } = await serveSite(t, RULES, FILES, options);
    const rows: [target: string, status: number, location: string | undefined][] = [
      ['/', 200, undefined],
      ['/about', 301, `${prefix}/about/`],
      ['/about.html?a=1', 301, `${prefix}/about?a=1`],
      ['/about/', 200, undefined],
      ['/old/x%20y?q=/docs', 301, `${prefix}/old/x%20y/?q=/docs`],
      ['/old/x%20y/?q=/docs', 301, `${prefix}/new/x%20y?q=/docs`],
      ['/out/', 302, 'https://example.org/x'],
      ['/app/deep/er/', 200, undefined],
      ['/list/', 200, undefined],
      ['/none/', 404, undefined],
    ];
    for (const [target, status, location] of rows) {
      const answer = await get(prefix + target);
      assert.deepEqual([answer.status, answer.location], [status, location], target);
    }
    assert.equal((await get(`${prefix}/app/deep/er/`)).body, 'home');
    assert.equal((await get(`${prefix}/none/`)).body, 'lost');
  });

  if (prefix === '') continue;
  test(`beside ${shown} nothing is there`, OUTCOME, async (t) => {
    const { get } = await serveSite(t, RULES, FILES, options);
    const last = prefix.slice(prefix.lastIndexOf('/') + 1);
    assert.deepEqual([(await get(prefix)).status, (await get(prefix)).location], [308, `./${last}/`]);
    for (const target of ['/', '/about/', '/old/x', `${prefix}x/about/`]) {
      const { status, location, body } = await get(target);
      assert.deepEqual([status, location, body.includes('lost')], [404, undefined, false], target);
    }
  });
}

test('a listing of a site offers no archive, and is refused as one', OUTCOME, async (t) => {
  const { get } = await serveSite(t, { unlisted: ['secret.txt'] }, { 'list/a.txt': '', 'list/secret.txt': '' });
  const { body } = await get('/list/');
  assert.ok(body.includes('a.txt') && !body.includes('value="zip"'));
  for (const query of ['?archive=zip', '?archive=tar.gz', '?archive=x']) {
    const { status, body: said } = await get(`/list/${query}`);
    assert.deepEqual([status, said], [400, '400 Bad Request\nthis folder cannot be sent as an archive\n'], query);
  }
});
