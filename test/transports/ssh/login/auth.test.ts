import assert from 'node:assert/strict';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import ssh2, { type AuthContext, type Connection, type Server } from 'ssh2';
import { XferError } from '#xfer/errors.js';
import type { Prompt } from '#xfer/transport.js';
import { SshConnection } from '#xfer/transports/ssh/carriers/connection.js';
import { resolveSshConfig, type SshConfig } from '#xfer/transports/ssh/config/config.js';
import { agentPath } from '#xfer/transports/ssh/login/agent.js';
import { failsWith } from '../../../support/fails-with.js';
import { makeKeyPair } from '../made-up.js';

const timeout = 20_000;
const scope = { signal: new AbortController().signal };
const hostKey = makeKeyPair();
const userKey = makeKeyPair();
const lockedKey = makeKeyPair('open');
let directory: string;
let server: Server;
let port: number;
/** What the server does with a login. */
let login: (context: AuthContext) => void;
let methods: string[] = [];
const clients = new Set<Connection>();

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xfer-auth-'));
  await writeFile(join(directory, 'id'), userKey.private, { mode: 0o600 });
  await writeFile(join(directory, 'locked'), lockedKey.private, { mode: 0o600 });
  server = new ssh2.Server({ hostKeys: [hostKey.private], banner: 'hello \x1b[2J' }, (client) => {
    client.on('authentication', (context) => {
      methods.push(context.method);
      login(context);
    });
    client.on('error', () => undefined);
    clients.add(client);
    client.on('close', () => clients.delete(client));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  const [type, key] = hostKey.public.split(' ');
  await writeFile(join(directory, 'known_hosts'), `[127.0.0.1]:${port} ${type} ${key}\n`);
});

after(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

async function configure(...options: string[]): Promise<SshConfig> {
  const known = `UserKnownHostsFile=${join(directory, 'known_hosts')}`;
  return resolveSshConfig({
    host: '127.0.0.1',
    user: 'me',
    port,
    configFile: 'none',
    options: [...options, 'IdentityAgent=none', 'IdentityFile=none', known, 'GlobalKnownHostsFile=none'],
  });
}

async function tryLogin(config: SshConfig, prompt?: Prompt): Promise<string[]> {
  const notices: string[] = [];
  methods = [];
  const connection = await SshConnection.open({ config, prompt, onNotice: (line) => notices.push(line), scope });
  await connection.close();
  return notices;
}

/** Answers by what is asked; undefined gives up. */
function answering(answers: Record<string, string | undefined>, asked: string[] = []): Prompt {
  const answer = async (question: string) => {
    asked.push(question);
    return Object.entries(answers).find(([part]) => question.includes(part))?.[1];
  };
  return { secret: answer, line: answer };
}

function keyOf(context: AuthContext, pair: { public: string }): boolean {
  const parsed = ssh2.utils.parseKey(pair.public);
  if (context.method !== 'publickey' || parsed instanceof Error) return false;
  if (!parsed.getPublicSSH().equals(context.key.data)) return false;
  return !context.signature || parsed.verify(context.blob as Buffer, context.signature, context.hashAlgo) === true;
}

test('a key from a file, which is offered first; the banner comes out printable', { timeout }, async () => {
  login = (context) => (keyOf(context, userKey) ? context.accept() : context.reject(['publickey']));
  const notices = await tryLogin(await configure(`IdentityFile=${join(directory, 'id')}`));
  assert.ok(methods.length > 0 && methods.every((method) => method === 'publickey'));
  assert.ok(notices.some((line) => line.startsWith('hello ')));
  assert.ok(notices.every((line) => !line.includes('\x1b')));
});

test('a locked key is unlocked by its passphrase, at the third try', { timeout }, async () => {
  login = (context) => (keyOf(context, lockedKey) ? context.accept() : context.reject(['publickey']));
  const config = await configure(`IdentityFile=${join(directory, 'locked')}`);
  let tries = 0;
  const prompt: Prompt = { secret: async () => (++tries === 3 ? 'open' : 'wrong'), line: async () => undefined };
  await tryLogin(config, prompt);
  assert.equal(tries, 3);
  await assert.rejects(tryLogin(config), failsWith('DENIED'));
});

test('a key that others can read is not used, and that is said', {
  timeout,
  skip: process.platform === 'win32' && 'POSIX modes',
}, async () => {
  const file = join(directory, 'open');
  await writeFile(file, userKey.private);
  await chmod(file, 0o644);
  login = (context) => (keyOf(context, userKey) ? context.accept() : context.reject(['publickey']));
  const config = await configure(`IdentityFile=${file}`);
  const notices: string[] = [];
  const opening = SshConnection.open({ config, onNotice: (line) => notices.push(line), scope });
  await assert.rejects(opening, failsWith('DENIED'));
  assert.ok(notices.some((line) => line.includes('others can read it')));
});

test('a password, asked for again where it was wrong, and as often as allowed', { timeout }, async () => {
  login = (context) => {
    if (context.method === 'password' && context.password === 'right') return context.accept();
    return context.reject(['password']);
  };
  const given = ['wrong', 'right'];
  const asked: string[] = [];
  const prompt: Prompt = {
    secret: async (question) => {
      asked.push(question);
      return given.shift();
    },
    line: async () => undefined,
  };
  await tryLogin(await configure(), prompt);
  assert.deepEqual(asked, ["me@127.0.0.1's password: ", "me@127.0.0.1's password: "]);
  const wrong: string[] = [];
  const failing = tryLogin(await configure('NumberOfPasswordPrompts=2'), answering({ password: 'no' }, wrong));
  await assert.rejects(failing, failsWith('DENIED', /tried a password; the server takes password/));
  assert.equal(wrong.length, 2);
  const batch = tryLogin(await configure('BatchMode=yes'), answering({ password: 'right' }, wrong));
  await assert.rejects(batch, failsWith('DENIED'));
  assert.equal(wrong.length, 2);
});

test('a second factor after a key', { timeout }, async () => {
  let first = false;
  login = (context) => {
    if (!first && keyOf(context, userKey)) {
      first = context.method === 'publickey' && context.signature !== undefined;
      return first ? context.reject(['keyboard-interactive'], true) : context.accept();
    }
    if (!first) return context.reject(['publickey']);
    if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
    context.prompt([{ prompt: 'Code: ', echo: true }], ([answer]) => {
      if (answer === '123') context.accept();
      else context.reject();
    });
  };
  const config = await configure(`IdentityFile=${join(directory, 'id')}`);
  await tryLogin(config, answering({ 'Code: ': '123' }));
  assert.ok(first);
});

test('the ways to log in are tried in the order that is preferred, and no others', { timeout }, async () => {
  const takes = ['publickey', 'keyboard-interactive', 'password'];
  login = (context) => context.reject(takes as ['publickey']);
  const key = `IdentityFile=${join(directory, 'id')}`;
  const prompt = answering({ password: 'wrong' });
  for (const [preferred, tried] of [
    ['password,gssapi-with-mic,publickey', ['none', 'password', 'publickey']],
    ['publickey,password', ['publickey', 'none', 'password']],
    ['password', ['none', 'password']],
  ] as const) {
    const config = await configure(key, `PreferredAuthentications=${preferred}`, 'NumberOfPasswordPrompts=1');
    await assert.rejects(tryLogin(config, prompt), failsWith('DENIED'));
    assert.deepEqual(methods, tried);
  }
});

test('a password that must be changed first is said', { timeout }, async () => {
  login = (context) => {
    if (context.method === 'password') context.requestChange('Your password has expired.', () => undefined);
    else context.reject(['password']);
  };
  const attempt = tryLogin(await configure(), answering({ password: 'old' }));
  await assert.rejects(attempt, failsWith('DENIED', /must be changed first/));
});

test('an abort while a person is asked ends the login with its reason', { timeout }, async () => {
  login = (context) => context.reject(['password']);
  const stop = new AbortController();
  const reason = new Error('enough');
  const prompt: Prompt = {
    secret: (_question, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        stop.abort(reason);
      }),
    line: async () => undefined,
  };
  const opening = SshConnection.open({ config: await configure(), prompt, scope: { signal: stop.signal } });
  await assert.rejects(opening, reason);
});

test('a host whose key changed is not spoken to', { timeout }, async () => {
  const other = makeKeyPair().public.split(' ');
  const file = join(directory, 'changed');
  await writeFile(file, `[127.0.0.1]:${port} ${other[0]} ${other[1]}\n`);
  const config = { ...(await configure()), userKnownHostsFiles: [file], strictHostKeyChecking: 'no' as const };
  await assert.rejects(tryLogin(config, answering({ password: 'x' })), failsWith('DENIED', /changed/));
  assert.deepEqual(methods, []);
});

test('what is no SSH server, and what does not answer', { timeout }, async () => {
  const other = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const config = { ...(await configure()), port: (other.address() as AddressInfo).port };
  await assert.rejects(tryLogin(config), (error: unknown) => {
    assert.ok(error instanceof XferError);
    return ['PROTOCOL', 'DISCONNECTED'].includes(error.code);
  });
  await new Promise((resolve) => other.close(resolve));

  const silent = createServer((socket) => socket.on('error', () => undefined).resume());
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const at = { ...(await configure()), port: (silent.address() as AddressInfo).port, connectTimeoutMs: 100 };
  await assert.rejects(tryLogin(at), failsWith('TIMED_OUT'));
  await new Promise((resolve) => silent.close(resolve));
  await assert.rejects(tryLogin({ ...at, connectTimeoutMs: 5000 }), failsWith('UNREACHABLE'));
});

test('where the agent listens', async () => {
  const config = await configure();
  const { identityAgent: _none, ...plain } = config;
  assert.equal(agentPath({ config, environment: { SSH_AUTH_SOCK: '/a' }, platform: 'linux' }), undefined);
  assert.equal(agentPath({ config: plain, environment: { SSH_AUTH_SOCK: '/a' }, platform: 'linux' }), '/a');
  assert.equal(agentPath({ config: plain, environment: {}, platform: 'linux' }), undefined);
  assert.equal(agentPath({ config: plain, environment: {}, platform: 'win32' }), '\\\\.\\pipe\\openssh-ssh-agent');
});

test('a key that belongs to somebody else may be readable by others, as with ssh', {
  timeout,
  skip: process.getuid?.() !== 0 && 'only root gives files away',
}, async () => {
  const file = join(directory, 'given');
  await writeFile(file, userKey.private);
  await chmod(file, 0o644);
  await chown(file, 65534, 65534);
  login = (context) => (keyOf(context, userKey) ? context.accept() : context.reject(['publickey']));
  await tryLogin(await configure(`IdentityFile=${file}`));
});

test('what is no regular file is no key, and is not read without end', {
  timeout,
  skip: process.platform === 'win32' && 'no /dev',
}, async () => {
  login = (context) => context.reject(['publickey']);
  await assert.rejects(tryLogin(await configure('IdentityFile=/dev/zero')), failsWith('DENIED'));
});

test('a question that is open when the line is lost is taken back', { timeout }, async () => {
  login = (context) => {
    if (context.method === 'password') context.accept();
    else context.reject(['password']);
  };
  let takenBack: unknown;
  let asked = (): void => undefined;
  const asking = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const prompt: Prompt = {
    line: async () => undefined,
    secret: (_question, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          takenBack = signal.reason;
          reject(signal.reason);
        });
        asked();
      }),
  };
  const opening = SshConnection.open({ config: await configure(), prompt, scope });
  const failing = assert.rejects(opening, failsWith('DISCONNECTED'));
  await asking;
  for (const client of clients) client.end();
  await failing;
  assert.ok(takenBack instanceof XferError && takenBack.code === 'DISCONNECTED');
});
