/** What a program may tell a client or a listener without a type that keeps it out, in JavaScript or by arithmetic. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { expandLocation, listen, openSink, openSource } from '#xfer/index.js';
import { failsWith } from './support/fails-with.js';

const limit = { timeout: 20_000 };
const NOT_COUNTS = [0, -1, 1.5, Number.NaN, '4', null];
const NOT_TIMES = [0, -1, Number.NaN, '4'];

/** Each of these values of an option, which may be in another one, as in `upload.mostFiles`. */
function each(path: string, values: readonly unknown[]): [object, RegExp][] {
  const [first = '', second] = path.split('.');
  const told = new RegExp(`the option ${path.replace('.', '\\.')} is .*, and may be `);
  return values.map((value) => [{ [first]: second === undefined ? value : { [second]: value } }, told]);
}

/** The same of an option that is looked at where it is used, in words of its own. */
function elsewhere(path: string, values: readonly unknown[]): [object, RegExp][] {
  return each(path, values).map(([options]) => [options, /^/]);
}

async function refused(open: (options: object) => Promise<unknown>, cases: readonly [object, RegExp][]): Promise<void> {
  for (const [options, message] of cases) await assert.rejects(open(options), failsWith('USAGE', message));
}

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'xfer-options-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

test('links that are no way to take them are USAGE, wherever they lead', limit, async () => {
  for (const where of ['/tmp', 'http://127.0.0.1:9/', 'tcp://127.0.0.1:9', 'h:x']) {
    await refused((options) => openSource(where, options), each('links', ['hard', 3, '']));
    await refused((options) => openSink(where, options), each('links', ['hard']));
  }
});

const SSH = [
  ...['port', 'requests', 'requestBytes', 'parallel'].flatMap((name) => each(name, NOT_COUNTS)),
  ...each('port', [65_536]),
  ...['program', 'sftpServer', 'configFile'].flatMap((name) => each(name, ['', 3])),
  ...['options', 'identityFiles'].flatMap((name) => each(name, ['Port=1', [3]])),
  ...each('protocol', ['ftp', '']),
];

test('what no SSH client can follow is USAGE, before anything is connected', limit, async () => {
  await refused((options) => openSource('127.0.0.1:x', options), SSH);
  await refused((options) => openSink('127.0.0.1:x', options), SSH);
  await refused((options) => expandLocation('127.0.0.1:x*', options), SSH);
});

const HTTP = [
  ...each('maxRedirects', [-1, 1.5, Number.NaN, '4']),
  ...each('chunkBytes', NOT_COUNTS),
  ...['userAgent', 'uploadNotesDirectory'].flatMap((name) => each(name, ['', 3])),
  ...['pins', 'ca'].flatMap((name) => each(name, ['abc', [3]])),
];

test('what no HTTP client can follow is USAGE, before anything is connected', limit, async () => {
  await refused((options) => openSource('http://127.0.0.1:9/f', options), HTTP);
  await refused((options) => openSink('http://127.0.0.1:9/f', options), HTTP);
});

const HTTP_LISTENER = [
  ...['headersTimeoutMs', 'idleTimeoutMs', 'expiresMs', 'limitBytesPerSecond', 'limitClientBytesPerSecond'].flatMap(
    (name) => elsewhere(name, [0, -1, Number.NaN]),
  ),
  ...elsewhere('maxDownloads', [0, -1, 1.5, Number.NaN]),
  ...each('tlsRenewal.everyMs', NOT_TIMES),
  ...['upload.mostAtOnce', 'cgi.maxScripts'].flatMap((name) => each(name, NOT_COUNTS)),
  ...[
    'upload.mostFileBytes',
    'upload.quotaBytes',
    'upload.keepPartsMs',
    'cgi.maxBodyBytes',
    'archives.rows',
    'archives.underWay',
    'archives.compressed',
  ].flatMap((name) => each(name, [-1, Number.NaN, '4'])),
  ...each('mdns.port', [0, 65_536, Number.NaN]),
  ...['mdns.name', 'mdns.host', 'mdns.interface', 'upload.recordsDirectory'].flatMap((name) => each(name, ['', 3])),
  ...['hosts', 'allow', 'allowHosts', 'cgi.directories'].flatMap((name) => each(name, ['localhost', [3]])),
  ...each('loginFor', ['reads', '']),
];

test('what no HTTP listener can follow is USAGE', limit, async (t) => {
  const share = await openSource(await folder(t));
  await refused((options) => listen('http', { hosts: ['127.0.0.1'], port: 0, share, ...options }), HTTP_LISTENER);
});

const SSH_LISTENER = [
  ...['connections', 'startups', 'startupsPerAddress', 'loginTries', 'sessions', 'handles'].flatMap((name) =>
    each(`limits.${name}`, NOT_COUNTS),
  ),
  ...each('limits.loginTimeoutMs', NOT_TIMES),
  ...['wrongPasswordMs', 'mostWrongPasswordMs'].flatMap((name) => each(`limits.${name}`, [-1, Number.NaN, '4'])),
  ...each('authorizedKeys', ['', 3]),
  ...each('hosts', ['localhost', [3]]),
];

test('what no SFTP listener can follow is USAGE', limit, async (t) => {
  const share = await openSource(await folder(t));
  const usual = { hosts: ['127.0.0.1'], port: 0, share, accounts: [{ user: 'anna', password: 'x' }] };
  await refused((options) => listen('sftp', { ...usual, ...options }), SSH_LISTENER);
});

test('what no plain TCP listener can follow is USAGE', limit, async (t) => {
  const usual = { hosts: ['127.0.0.1'], port: 0, share: await openSource(await folder(t)) };
  const cases = [
    ...elsewhere('limitBytesPerSecond', [0, Number.NaN]),
    ...each('hosts', ['localhost']),
    ...each('family', [5]),
  ];
  await refused((options) => listen('tcp', { ...usual, ...options }), cases);
});

test('a key that is none is USAGE, for an empty one is known to all', limit, async () => {
  const offer = async () => ({ entries: [], more: 0 }) as never;
  const cases = [...each('sealed.key', [new Uint8Array(0), new Uint8Array(15), 'abc', null])].map(
    ([{ sealed }, message]: [{ sealed?: object }, RegExp]): [object, RegExp] => [
      { sealed: { offer, ...sealed } },
      new RegExp(message.source.replace('sealed\\.', '')),
    ],
  );
  await refused((options) => openSink('tcp://127.0.0.1:9', options), cases);
});

test('what is put goes where what is shared is, or it is USAGE', limit, async (t) => {
  const [one, other] = [await folder(t), await folder(t)];
  const accounts = [{ user: 'anna', password: 'x' }];
  for (const scheme of ['http', 'sftp'] as const) {
    const usual = { hosts: ['127.0.0.1'], port: 0, accounts, share: await openSource(one) };
    const elsewhere = listen(scheme, { ...usual, receive: await openSink(other) });
    await assert.rejects(elsewhere, failsWith('USAGE', /would go to another place/));
    const listener = await listen(scheme, { ...usual, receive: await openSink(`${one}/`) });
    await listener.close();
  }
});

test('a grace and a time without end are no error, and no time at all', limit, async (t) => {
  const share = await openSource(await folder(t));
  const endless = Number.POSITIVE_INFINITY;
  const accounts = [{ user: 'anna', password: 'x' }];
  const usual = { hosts: ['127.0.0.1'], port: 0, share };
  const warnings: Error[] = [];
  const warn = (warning: Error) => void warnings.push(warning);
  process.on('warning', warn);
  t.after(() => process.off('warning', warn));
  const listeners = [
    await listen('http', { ...usual, idleTimeoutMs: endless, headersTimeoutMs: endless, expiresMs: endless }),
    await listen('sftp', { ...usual, accounts, limits: { loginTimeoutMs: endless } }),
  ];
  for (const listener of listeners) await listener.close({ graceMs: endless });
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(warnings, []);
});
