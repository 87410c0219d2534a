import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { findProgram, needs } from '../support/peers.js';
import { serve, temporaryFolder } from '../transports/http/listen/rig.js';

const SIZE = 20 << 20;

/** Runs a program bounded in time; resolves with what it wrote. */
async function run(name: string, args: readonly string[], cwd: string): Promise<Buffer> {
  const options = { cwd, encoding: 'buffer', timeout: 30_000, maxBuffer: 64 << 20, killSignal: 'SIGKILL' } as const;
  const environment = { PATH: process.env.PATH, HOME: cwd, no_proxy: '*', NO_PROXY: '*' };
  const { stdout } = await promisify(execFile)(findProgram(name) as string, [...args], {
    ...options,
    env: environment,
  });
  return stdout;
}

async function served(t: TestContext): Promise<{ url: string; body: Buffer; folder: string }> {
  const root = await temporaryFolder(t);
  const body = randomBytes(SIZE);
  await writeFile(join(root, 'big file.bin'), body);
  const { url } = await serve(t, root);
  return { url: `${url}/big%20file.bin`, body, folder: await temporaryFolder(t) };
}

test('curl: whole, one range, several, and resumed', { ...needs('curl'), timeout: 60_000 }, async (t) => {
  const { url, body, folder } = await served(t);
  const curl = (...args: string[]) => run('curl', ['-q', '-sS', '-f', '--noproxy', '*', ...args], folder);
  assert.ok((await curl(url)).equals(body));
  assert.ok((await curl('-r', '1000-2999', url)).equals(body.subarray(1000, 3000)));
  assert.ok((await curl('-r', '-77', url)).equals(body.subarray(SIZE - 77)));
  const parts = (await curl('-r', '0-3,1000-1004', url)).toString('latin1');
  for (const [start, end] of [
    [0, 4],
    [1000, 1005],
  ] as const) {
    const head = `Content-Range: bytes ${start}-${end - 1}/${SIZE}\r\n\r\n`;
    assert.ok(parts.includes(head + body.toString('latin1', start, end)), head);
  }
  await writeFile(join(folder, 'part'), body.subarray(0, 5_000_001));
  await curl('-C', '-', '-o', 'part', url);
  assert.ok((await readFile(join(folder, 'part'))).equals(body));
  const tag = join(folder, 'tag');
  await curl('--etag-save', tag, '-o', 'part', url);
  const status = await curl('--etag-compare', tag, '-o', 'none', '-w', '%{http_code}', url);
  assert.equal(status.toString(), '304');
});

test('wget -c resumes', { ...needs('wget'), timeout: 60_000 }, async (t) => {
  const { url, body, folder } = await served(t);
  await writeFile(join(folder, 'big file.bin'), body.subarray(0, 7_654_321));
  await run('wget', ['-q', '--no-config', '--tries=1', '-c', url], folder);
  assert.ok((await readFile(join(folder, 'big file.bin'))).equals(body));
});

test('wget -r mirrors a tree with odd names', { ...needs('wget'), timeout: 60_000 }, async (t) => {
  const root = await temporaryFolder(t);
  const names = ['a b', 'c#d', 'e?f', 'g&h;i', "j'k", 'l:m', '100%', 'é', 'sub/n"o'];
  await mkdir(join(root, 'sub'));
  for (const name of names) await writeFile(join(root, name), name);
  const { url } = await serve(t, root);
  const folder = await temporaryFolder(t);
  const restrict = '--restrict-file-names=nocontrol';
  await run('wget', ['-q', '--no-config', '--tries=1', '-r', '-np', '-nH', restrict, `${url}/`], folder);
  for (const name of names) assert.equal(await readFile(join(folder, name), 'utf8'), name);
});

test('aria2c -x4 puts its pieces together', { ...needs('aria2c'), timeout: 60_000 }, async (t) => {
  const { url, body, folder } = await served(t);
  const args = ['--no-conf', '-q', '-x4', '-s4', '-k1M', '--file-allocation=none', '-d', folder, '-o', 'out', url];
  await run('aria2c', args, folder);
  assert.ok((await readFile(join(folder, 'out'))).equals(body));
  assert.deepEqual(await readdir(folder), ['out']);
});

/** The page at `url` as Chromium has it once its scripts are done. */
async function pageInChromium(t: TestContext, url: string): Promise<string> {
  const profile = await mkdtemp(join(tmpdir(), 'xfer-chromium-'));
  t.after(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }));
  const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const headless = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage'];
  const page = ['--no-proxy-server', `--user-data-dir=${profile}`, '--virtual-time-budget=10000', '--dump-dom', url];
  return (await run('chromium', [...headless, ...quiet, ...page], profile)).toString();
}

test('Chromium shows the names and runs nothing', { ...needs('chromium'), timeout: 60_000 }, async (t) => {
  const root = await temporaryFolder(t);
  const names = ['plain', '<img src=x onerror=document.title=1>', 'a&amp;b', '日本語 👩‍🚀'];
  for (const name of names) await writeFile(join(root, name), '');
  const { url } = await serve(t, root);
  const dom = await pageInChromium(t, `${url}/`);
  assert.match(dom, /<title>Index of \/<\/title>/);
  assert.doesNotMatch(dom, /<img/);
  assert.equal(dom.match(/<a href=/g)?.length, names.length);
  assert.ok(dom.includes('>日本語 👩‍🚀</a>') && dom.includes('>a&amp;amp;b</a>'));
});

test('Chromium fetches a file, and a part of it, byte for byte', {
  ...needs('chromium'),
  timeout: 60_000,
}, async (t) => {
  const root = await temporaryFolder(t);
  const bytes = randomBytes(9_000_001);
  await writeFile(join(root, 'a file #1.bin'), bytes);
  const script = `
    const digest = async (body) => Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', body)), (b) => b.toString(16).padStart(2, '0')).join('');
    const get = async (headers) => (await fetch('a%20file%20%231.bin', { headers })).arrayBuffer();
    document.body.textContent = await digest(await get({})) + ' ' + await digest(await get({ range: 'bytes=1000-5000999' }));`;
  await writeFile(join(root, 'page.html'), `<!doctype html><body>waiting<script type="module">${script}</script>`);
  const { url } = await serve(t, root);
  const { port } = new URL(url);
  const dom = await pageInChromium(t, `http://localhost:${port}/page.html`);
  const sha256 = (part: Buffer) => createHash('sha256').update(part).digest('hex');
  assert.match(dom, new RegExp(`${sha256(bytes)} ${sha256(bytes.subarray(1000, 5_001_000))}`));
});
