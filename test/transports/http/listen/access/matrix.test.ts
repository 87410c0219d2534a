/** Every mode by every caller, method and endpoint. What must happen follows from one rule; no cell is written by hand. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HttpListenOptions } from '#xfer/transports/http/listen/index.js';
import { type Served, serve, temporaryFolder } from '../rig.js';

const METHODS = [
  ...['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE'],
  ...['PROPFIND', 'PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'REPORT', 'SEARCH'],
];

const ENDPOINTS = [
  ...['/', '/?json', '/?plain', '/?archive=zip', '/?archive=tar', '/?q=x', '/index.html'],
  ...[
    '/file-name.txt',
    '/file-name.txt?download',
    '/sub-name',
    '/sub-name/',
    '/sub-name/in-name.txt',
    '/sub-name?json',
  ],
  ...['/missing', '/missing/', '/.hidden-name', '/cgi-bin/x', '/healthz', '/metrics', '/.well-known/x'],
  // Other spellings of them (E10).
  ...['//file-name.txt', '/./file-name.txt', '/%66ile-name.txt', '/sub-name%2fin-name.txt', '/sub-name//in-name.txt'],
  ...[
    '/FILE-NAME.TXT',
    '/file-name.txt;x',
    '/file-name.txt.',
    '/file-name.txt/',
    '/sub-name/../file-name.txt',
    '/%',
    '/%00',
  ],
];

const TOKEN = 'tokentokentokentoken-2345';
const PASSWORD = 'the right password';
const LOGIN = `Authorization: Basic ${Buffer.from(`anna-user:${PASSWORD}`).toString('base64')}\r\n`;
const accounts = [{ user: 'anna-user', password: PASSWORD }];

interface Mode {
  readonly options: Partial<HttpListenOptions>;
  /** What stands before each target. */
  readonly prefix?: string;
  /** What is done before the requests, so that nothing is served any more. */
  readonly end?: (t: TestContext, served: Served) => Promise<void>;
}

const MODES: Record<string, Mode> = {
  auth: { options: { accounts } },
  'auth-write': { options: { accounts, loginFor: 'writes' } },
  token: { options: { token: TOKEN }, prefix: `/${TOKEN}` },
  'base path': { options: { basePath: '/base' }, prefix: '/base' },
  'token and auth': { options: { token: TOKEN, accounts }, prefix: `/${TOKEN}` },
  'all of them': { options: { token: TOKEN, accounts, basePath: '/base' }, prefix: `/base/${TOKEN}` },
  'allowed address': { options: { allow: ['127.0.0.0/8'] } },
  'refused address': { options: { allow: ['192.0.2.0/24', '::1'] } },
  expired: { options: { expiresMs: 3_600_000 }, end: async (t) => t.mock.timers.tick(3_600_000) },
  'expired, auth': { options: { expiresMs: 3_600_000, accounts }, end: async (t) => t.mock.timers.tick(3_600_000) },
  'used up': { options: { maxDownloads: 1 }, end: download },
};

async function download(_: TestContext, { url }: Served): Promise<void> {
  assert.equal(await (await fetch(`${url}/file-name.txt`)).text(), 'THE-CONTENT');
}

interface Caller {
  readonly login: boolean;
  readonly prefix: 'right' | 'none' | 'doubled' | 'encoded' | 'other case' | 'longer';
  readonly host: string;
  /** Fields that a browser adds. */
  readonly browser: string;
}

const USUAL: Caller = { login: true, prefix: 'right', host: 'test', browser: '' };
const OWN_ORIGIN = 'Origin: http://test\r\n';

/** Whoever differs from the usual caller in one thing, and whoever differs in all. */
const CALLERS: readonly Caller[] = [
  USUAL,
  { ...USUAL, login: false },
  ...(['none', 'doubled', 'encoded', 'other case', 'longer'] as const).map((prefix) => ({ ...USUAL, prefix })),
  { ...USUAL, host: 'evil.example' },
  ...['Origin: http://evil.example\r\n', 'Origin: null\r\n', 'Sec-Fetch-Site: same-site\r\n'].map((browser) => ({
    ...USUAL,
    browser,
  })),
  { ...USUAL, browser: `${OWN_ORIGIN}Sec-Fetch-Site: same-origin\r\n` },
  { login: false, prefix: 'none', host: 'evil.example', browser: 'Sec-Fetch-Site: cross-site\r\n' },
];

/** The rule: why a request is refused, by its status, 0 for a connection that is closed; undefined where it goes on. */
function refusalOf(mode: Mode, caller: Caller, method: string): number | undefined {
  const { allow, accounts: who, loginFor } = mode.options;
  const write = !['GET', 'HEAD', 'OPTIONS'].includes(method);
  if (allow && !allow.includes('127.0.0.0/8')) return 0;
  if (caller.host !== 'test') return 421;
  if (mode.prefix !== undefined && caller.prefix !== 'right') return 404;
  if (write && caller.browser !== '' && !caller.browser.startsWith(OWN_ORIGIN)) return 403;
  if (who && !caller.login && (write || loginFor !== 'writes')) return 401;
  return mode.end ? 410 : undefined;
}

function prefixOf(mode: Mode, { prefix }: Caller): string {
  const right = mode.prefix ?? '';
  const [, first = '', rest = ''] = /^\/(.)(.*)$/.exec(right) ?? [];
  const spelled = {
    right,
    none: '',
    doubled: `/${right}`,
    encoded: `/%${first.charCodeAt(0).toString(16)}${rest}`,
    'other case': `/${first.toUpperCase()}${rest}`,
    longer: `${right}x`,
  };
  return right === '' ? '' : spelled[prefix];
}

interface Cell {
  readonly caller: Caller;
  readonly method: string;
  readonly endpoint: string;
}

function textOf(mode: Mode, { caller, method, endpoint }: Cell): string {
  const fields = `Host: ${caller.host}\r\nConnection: close\r\nRange: bytes=0-3\r\n${caller.browser}`;
  return `${method} ${prefixOf(mode, caller)}${endpoint} HTTP/1.1\r\n${fields}${caller.login ? LOGIN : ''}\r\n`;
}

async function makeShare(t: TestContext): Promise<string> {
  const root = join(await temporaryFolder(t), 'root-name');
  await mkdir(join(root, 'sub-name'), { recursive: true });
  await writeFile(join(root, 'file-name.txt'), 'THE-CONTENT');
  await writeFile(join(root, '.hidden-name'), 'THE-CONTENT');
  await writeFile(join(root, 'sub-name', 'in-name.txt'), 'THE-CONTENT');
  return root;
}

const TELLING = /THE-CONT|file-name|sub-name|in-name|hidden-name|root-name|anna|the right password|tokentoken/i;

for (const [name, mode] of Object.entries(MODES)) {
  test(`${name}: exactly what may go on does, and a refusal tells nothing`, { timeout: 120_000 }, async (t) => {
    const root = await makeShare(t);
    const open = await serve(t, root);
    const mayGoOn = new Map<string, number>();
    if (mode.end) t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    for (const method of METHODS) {
      const served = await serve(t, root, mode.options);
      const cells = CALLERS.flatMap((caller) => ENDPOINTS.map((endpoint) => ({ caller, method, endpoint })));
      // What is over takes no connection any more, so these have to be there before.
      const lines = mode.end && (await Promise.all(cells.map((cell) => startedLine(served.port, textOf(mode, cell)))));
      await mode.end?.(t, served);
      const refused = new Map<Caller, string>();
      await inTurns(cells, async (cell, at) => {
        const text = textOf(mode, cell);
        const answer = await (lines?.[at]?.() ?? ask(served.port, text));
        const refusal = refusalOf(mode, cell.caller, method);
        assert.equal(statusOf(answer), refusal ?? (await statusWhereOpen(open, cell, mayGoOn)), text);
        if (refusal === undefined) return;
        assert.doesNotMatch(answer, TELLING, text);
        // Whether the endpoint is there makes no difference.
        const same = answer.replace(/^Date: .*\r\n/m, '');
        assert.equal(same, refused.get(cell.caller) ?? same, text);
        refused.set(cell.caller, same);
      });
      await served.listener.close();
      assert.equal(served.source.opened, served.source.closed);
    }
    const free = mode.end || mode.options.allow?.includes('::1') ? [] : [206, 200];
    const seen = ['GET /file-name.txt', 'GET /'].map((each) => mayGoOn.get(each));
    assert.deepEqual(seen, free.length > 0 ? free : [undefined, undefined], 'what may go on did');
  });
}

/** What a listener that refuses nobody says, so that endpoints may be there or not. */
async function statusWhereOpen(open: Served, cell: Cell, known: Map<string, number>): Promise<number> {
  const key = `${cell.method} ${cell.endpoint}`;
  const status = known.get(key) ?? statusOf(await ask(open.port, textOf({ options: {} }, { ...cell, caller: USUAL })));
  known.set(key, status);
  return status;
}

/** Works on several at once, so that a mode takes seconds. */
async function inTurns<Item>(items: readonly Item[], work: (item: Item, at: number) => Promise<void>): Promise<void> {
  const rest = items.entries();
  const lane = async (): Promise<void> => {
    for (const [at, item] of rest) await work(item, at);
  };
  await Promise.all(Array.from({ length: 24 }, lane));
}

/** 0 where the connection was closed without an answer. */
function statusOf(answer: string | undefined): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer ?? '')?.[1] ?? 0);
}

/** All that comes until the connection is closed, in whatever way. */
function answerOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('error', () => undefined).on('close', () => resolve(answer));
  });
}

function ask(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const answer = answerOf(socket);
  socket.write(text);
  return answer;
}

/** A connection on which a request has begun, so that it is not idle when the listener ends; the rest of it is sent later. */
async function startedLine(port: number, text: string): Promise<() => Promise<string>> {
  const socket = connect(port, '127.0.0.1', () => socket.write('HEAD / HTTP/1.1\r\nHost: test\r\n\r\n'));
  await new Promise((resolve) => socket.once('data', resolve));
  const begun = text.indexOf(' ');
  socket.write(text.slice(0, begun));
  return () => {
    const answer = answerOf(socket);
    socket.write(text.slice(begun));
    return answer;
  };
}
