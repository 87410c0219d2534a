/** Rows 5, 6, 9 and 20: what answers say, which is nothing of this machine, no secret, and no markup of anyone's. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AccessRecord, HttpListenOptions } from '#xfer/transports/http/listen/index.js';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { exchange, serve, temporaryFolder } from '../rig.js';
import { makeFiles } from '../site/site-rig.js';

const BOUNDED = { timeout: 60_000 };
const TOKEN = 'tokentokentokentoken-2345';
const PASSWORD = 'the-right-password';
const accounts = [{ user: 'anna-user', password: PASSWORD }];
const LOGIN = `Authorization: Basic ${Buffer.from(`anna-user:${PASSWORD}`).toString('base64')}\r\n`;

const MODES: Record<string, { readonly options: Partial<HttpListenOptions>; readonly prefix?: string }> = {
  plain: { options: { metrics: true } },
  secret: { options: { token: TOKEN, accounts, metrics: true }, prefix: `/${TOKEN}` },
  site: { options: { site: true, token: TOKEN }, prefix: `/${TOKEN}` },
  single: { options: { single: true, accounts } },
};

const MARKUP = ['"><svg/onload=1>', "'><img src=x onerror=1>", '</title><script>1</script>', '{{7*7}}<b>'];
const KEYS = ['', 'json', 'plain', 'sort', 'order', 'archive', 'download', 'render', 'q', 'k304', 'setck', 'filter'];

async function makeShare(t: TestContext): Promise<string> {
  // An archive has the name of what is shared, and nothing of where that is.
  const root = join(await temporaryFolder(t), 'share');
  await mkdir(root, { recursive: true });
  await makeFiles(root, { 'a.txt': 'a', 'b.md': '# b', 'sub/in.txt': 'in', '.env': 'HIDDEN', '.git/config': 'HIDDEN' });
  if (process.platform !== 'win32') {
    for (const name of [
      `<img src=x onerror=1>`,
      `"onmouseover="1`,
      'a\r\nX-Injected: 1',
      'b";filename="c.exe',
      '</script>',
    ])
      for (const end of ['.md', '.txt'])
        await writeFile(join(root, name.replaceAll('/', '∕') + end), 'text').catch(() => {});
    await makeFiles(root, { 'd\r\nX-Injected: 1/in.txt': 'in', 'javascript:1/in.txt': 'in' });
  }
  return root;
}

function targets(): string[] {
  const paths = [
    '/',
    '/a.txt',
    '/sub',
    '/sub/',
    '/none',
    '/b.md',
    '/%',
    '/.env',
    '/.git/config',
    '/healthz',
    '/metrics',
  ];
  paths.push('/a%0d%0aX-Injected:%201.md', '/%3Cimg%20src=x%20onerror=1%3E.md', '/b%22;filename=%22c.exe.txt');
  paths.push('/d%0d%0aX-Injected:%201', '/d%0d%0aX-Injected:%201/', '/javascript:1/', '/index', '/sub/index.html');
  const queries = KEYS.flatMap((key) => MARKUP.flatMap((text) => [`?${key}=${text}`, `?${text}=${key}`]));
  const escaped = queries.map(encodeURI);
  return [
    ...paths.flatMap((path) =>
      ['', '?json', '?plain', '?download', '?render', '?archive=zip'].map((query) => path + query),
    ),
    ...['/', '/a.txt', '/sub', '/none'].flatMap((path) => [...queries, ...escaped].map((query) => path + query)),
    ...MARKUP.flatMap((text) => [`/${text}`, `/${encodeURI(text)}`, `/sub/${encodeURIComponent(text)}/`]),
  ];
}

for (const [name, { options, prefix = '' }] of Object.entries(MODES)) {
  test(`${name}: no answer says a path of this machine, a secret, or a markup of who asks`, BOUNDED, async (t) => {
    const root = await makeShare(t);
    const records: AccessRecord[] = [];
    const onRequest = (record: AccessRecord): void => void records.push(record);
    const { port } = await serve(t, root, { ...options, onRequest, share: await openLocalSource(root) });
    for (const target of targets()) {
      for (const [login, method] of [
        [LOGIN, 'GET'],
        [LOGIN, 'HEAD'],
        ['', 'GET'],
      ] as const) {
        const referer = `Referer: http://test${prefix}/\r\n`;
        const asked = `${method} ${prefix}${target.replaceAll(' ', '+')} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n`;
        const answer = await exchange(port, `${asked}${login}${referer}\r\n`).catch(() => '');
        look(answer, target);
      }
    }
    assert.ok(records.length > 0);
    assert.doesNotMatch(JSON.stringify(records), new RegExp(`${TOKEN}|${PASSWORD}`));
  });
}

function look(answer: string, target: string): void {
  const end = answer.indexOf('\r\n\r\n');
  const [line = '', ...fields] = answer.slice(0, Math.max(end, 0)).split('\r\n');
  assert.match(line, /^HTTP\/1\.1 [2345]\d\d [A-Za-z' -]+$/, target);
  for (const field of fields) assert.match(field, /^(?!X-Injected)[A-Za-z-]+: [\x20-\x7e]*$/i, target);
  assert.doesNotMatch(answer, /xfer-serve-|anna-user|HIDDEN/, target);
  // The prefix stands in the Location of a site, which knows no other way to name its root, and nowhere else.
  const others = fields.filter((field) => !/^location:/i.test(field)).join('\n') + answer.slice(end);
  assert.doesNotMatch(others, new RegExp(`${TOKEN}|${PASSWORD}`), target);
  // JSON, text and archives hold names as they are, and are taken for nothing else.
  const isGiven = /^HTTP\/1\.1 20/.test(line) && !fields.some((field) => /^content-type: text\/html/i.test(field));
  if (!isGiven) assert.doesNotMatch(answer.slice(end), /<svg|<img src=x|<script>1|<b>|"onmouseover/, target);
  if (!/ (?:204|400) /.test(line)) assert.match(fields.join('\n'), /^X-Content-Type-Options: nosniff$/im, target);
}
