/** Which keys are offered, when a passphrase is asked for, and what a second connection of a run still knows. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import ssh2, { type AuthContext, type Server } from 'ssh2';
import type { XferError } from '#xfer/errors.js';
import type { Prompt } from '#xfer/transport.js';
import { SshConnection } from '#xfer/transports/ssh/carriers/connection.js';
import { resolveSshConfig, type SshConfig } from '#xfer/transports/ssh/config/config.js';
import { agentPath } from '#xfer/transports/ssh/login/agent.js';
import { publicHalf } from '#xfer/transports/ssh/login/public-half.js';
import { Secrets, secretsOf } from '#xfer/transports/ssh/login/secrets.js';
import { failsWith } from '../../../support/fails-with.js';
import { makeKeyPair } from '../made-up.js';

const timeout = 20_000;
const scope = { signal: new AbortController().signal };
const hostKey = makeKeyPair();
const locked = makeKeyPair('open');
const plain = makeKeyPair();
let directory: string;
let server: Server;
let port: number;
let login: (context: AuthContext) => void;
/** Public keys that were offered, and those that signed. */
let offered: string[] = [];
let signed: string[] = [];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xfer-auth-keys-'));
  server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    client.on('authentication', (context) => {
      if (context.method === 'publickey') {
        const key = context.key.data.toString('base64');
        (context.signature ? signed : offered).push(key);
      }
      login(context);
    });
    client.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  const [type, key] = hostKey.public.split(' ');
  await writeFile(join(directory, 'known_hosts'), `[127.0.0.1]:${port} ${type} ${key}\n`);
  await writeFile(join(directory, 'locked'), locked.private, { mode: 0o600 });
  await writeFile(join(directory, 'plain'), plain.private, { mode: 0o600 });
});

after(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

beforeEach(() => {
  offered = [];
  signed = [];
});

function blob(pair: { public: string }): string {
  return pair.public.split(' ')[1] as string;
}

function takes(pair: { public: string }) {
  return (context: AuthContext) => {
    const isIt = context.method === 'publickey' && context.key.data.toString('base64') === blob(pair);
    if (isIt) context.accept();
    else context.reject(['publickey']);
  };
}

async function configure(files: readonly string[], ...options: string[]): Promise<SshConfig> {
  const config = await resolveSshConfig({
    host: '127.0.0.1',
    user: 'me',
    port,
    configFile: 'none',
    options: [
      ...options,
      'IdentityAgent=none',
      `UserKnownHostsFile=${join(directory, 'known_hosts')}`,
      'GlobalKnownHostsFile=none',
    ],
    identityFiles: files.map((file) => join(directory, file)),
  });
  return config;
}

interface Given {
  readonly prompt?: Prompt;
  readonly secrets?: Secrets;
}

async function tryLogin(config: SshConfig, given: Given = {}): Promise<string[]> {
  const notices: string[] = [];
  const onNotice = (line: string) => notices.push(line);
  await (await SshConnection.open({ config, onNotice, scope, ...given })).close();
  return notices;
}

/** Gives these answers in turn and counts the questions. */
function answers(...given: (string | undefined)[]): Prompt & { asked: string[] } {
  const asked: string[] = [];
  const answer = async (question: string) => {
    asked.push(question);
    return given[asked.length - 1];
  };
  return { asked, secret: answer, line: answer };
}

test('a locked key is offered first, and its passphrase is asked for only where the server would take it', {
  timeout,
}, async () => {
  const prompt = answers('open');
  const config = await configure(['locked', 'plain']);
  login = takes(plain);
  await tryLogin(config, { prompt });
  assert.deepEqual([offered, signed, prompt.asked], [[blob(locked), blob(plain)], [blob(plain)], []]);
  login = takes(locked);
  await tryLogin(config, { prompt });
  assert.equal(prompt.asked.length, 1);
  assert.deepEqual(signed.slice(1), [blob(locked)]);
});

test('a key that is not unlocked is passed over', { timeout }, async () => {
  login = (context) => {
    const isKey = context.method === 'publickey';
    if (isKey && (!context.signature || context.key.data.toString('base64') === blob(plain))) context.accept();
    else context.reject(['publickey']);
  };
  const prompt = answers(undefined);
  const said = await tryLogin(await configure(['locked', 'plain']), { prompt });
  assert.deepEqual([prompt.asked.length, signed], [1, [blob(plain)]]);
  assert.ok(said.some((line) => line.endsWith('it has a passphrase, and none was given')));
  const notices = await tryLogin(await configure(['locked', 'plain'], 'BatchMode=yes'), { prompt });
  assert.deepEqual([prompt.asked.length, signed.length], [1, 2]);
  assert.ok(notices.some((line) => line.endsWith('it has a passphrase, and nobody can be asked')));
});

test('a key of a kind that only the system’s ssh knows says so; what is no key is passed over', {
  timeout,
}, async () => {
  const armour = (body: string) => `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`;
  await writeFile(join(directory, 'fido'), armour('b3BlbnNzaC1rZXktdjE='), { mode: 0o600 });
  await writeFile(join(directory, 'text'), 'no key', { mode: 0o600 });
  login = takes(plain);
  const notices = await tryLogin(await configure(['fido', 'text', 'plain']));
  assert.ok(notices.some((line) => /fido: a kind of key .*-S ssh/.test(line)));
  assert.ok(notices.some((line) => line.endsWith('text: not a private key')));
  assert.deepEqual(offered, [blob(plain)]);
});

test('a .pub that belongs to another key signs nothing', { timeout }, async () => {
  const pem = ssh2.utils.generateKeyPairSync('rsa', { bits: 1024 });
  await writeFile(join(directory, 'mixed'), pem.private, { mode: 0o600 });
  await writeFile(join(directory, 'mixed.pub'), plain.public);
  login = (context) => (context.method === 'publickey' ? context.accept() : context.reject(['publickey']));
  await tryLogin(await configure(['mixed']));
  assert.deepEqual(signed, [blob(pem)]);
});

test('what was typed is used again in the same run, and forgotten where it is wrong', { timeout }, async () => {
  const secrets = new Secrets();
  const prompt = answers('open', 'first', 'second');
  login = takes(locked);
  const config = await configure(['locked']);
  await tryLogin(config, { prompt, secrets });
  await tryLogin(config, { prompt, secrets });
  assert.equal(prompt.asked.length, 1);
  let right = 'first';
  login = (context) => {
    if (context.method === 'password' && context.password === right) context.accept();
    else context.reject(['password']);
  };
  await tryLogin(config, { prompt, secrets });
  await tryLogin(config, { secrets });
  assert.equal(prompt.asked.length, 2);
  right = 'second';
  await tryLogin(config, { prompt, secrets });
  assert.equal(prompt.asked.length, 3);
  await assert.rejects(tryLogin(config), failsWith('DENIED'));
  right = 'third';
  await assert.rejects(tryLogin(config, { secrets }), failsWith('DENIED'));
  right = 'second';
  await assert.rejects(tryLogin(config, { secrets }), failsWith('DENIED', /tried key \S+; the server takes/));
});

test('an answer to a question for a password is used again, one to another question is not', { timeout }, async () => {
  const secrets = new Secrets();
  let question = 'Password: ';
  login = (context) => {
    if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
    context.prompt([{ prompt: question, echo: false }], ([answer]) => {
      if (answer === 'right') context.accept();
      else context.reject(['keyboard-interactive']);
    });
  };
  const prompt = answers('right', 'right', 'right');
  const config = await configure(['none']);
  await tryLogin(config, { prompt, secrets });
  await tryLogin(config, { prompt, secrets });
  assert.equal(prompt.asked.length, 1);
  question = 'Code from your token: ';
  await tryLogin(config, { prompt, secrets: new Secrets() });
  await tryLogin(config, { prompt, secrets: new Secrets() });
  assert.equal(prompt.asked.length, 3);
});

test('a failed login names the files without a key, and what only the system’s ssh can do', { timeout }, async () => {
  login = (context) => context.reject(['publickey']);
  const missing = tryLogin(await configure(['missing', 'plain']));
  await assert.rejects(
    missing,
    failsWith('DENIED', /tried key \S*plain; no key in \S*missing; the server takes publickey/),
  );
  login = (context) => context.reject(['gssapi-with-mic' as 'publickey']);
  const failing = tryLogin(await configure(['plain']));
  await assert.rejects(failing, (error: unknown) => {
    assert.match((error as XferError).hint ?? '', /GSSAPI .*-S ssh/);
    return failsWith('DENIED', /tried key \S+; the server takes/)(error);
  });
});

test('a server that asks without end is left', { timeout }, async () => {
  login = (context) => {
    if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
    const ask = () => context.prompt([{ prompt: 'Again: ', echo: true }], ask);
    ask();
  };
  const prompt: Prompt = { line: async () => 'yes', secret: async () => 'yes' };
  await assert.rejects(tryLogin(await configure(['none']), { prompt }), failsWith('PROTOCOL', /asks without end/));
});

test('one run has one memory, known by its options', () => {
  const options = {};
  secretsOf(options).keep('a', 'b');
  assert.equal(secretsOf(options).get('a'), 'b');
  assert.equal(secretsOf({}).get('a'), undefined);
});

test('the open half of a key file', () => {
  const half = publicHalf(Buffer.from(locked.private));
  assert.equal(half?.getPublicSSH().toString('base64'), blob(locked));
  assert.equal(publicHalf(Buffer.from(locked.private), 'only'), undefined);
  assert.equal(publicHalf(Buffer.from(plain.public))?.type, 'ssh-ed25519');
  const body = locked.private.replace(/-----[^-]+-----/g, '').replace(/\s/g, '');
  const bytes = Buffer.from(body, 'base64');
  for (let length = 0; length < bytes.length; length += 7) {
    const cut = bytes.subarray(0, length).toString('base64');
    publicHalf(Buffer.from(`-----BEGIN OPENSSH PRIVATE KEY-----\n${cut}\n-----END OPENSSH PRIVATE KEY-----`));
  }
  assert.equal(publicHalf(Buffer.from('ssh-ed25519 AAAA')), undefined);
  assert.equal(publicHalf(Buffer.from('no key')), undefined);
});

test('on Windows the agent is OpenSSH’s, or PuTTY’s where that is the one there', async () => {
  const { identityAgent: _none, ...config } = await configure([]);
  const at = (...pipes: string[]) => agentPath({ config, environment: {}, platform: 'win32', pipes: () => pipes });
  assert.equal(at(), '\\\\.\\pipe\\openssh-ssh-agent');
  assert.equal(at('pageant.me.0f3a', 'openssh-ssh-agent'), '\\\\.\\pipe\\openssh-ssh-agent');
  assert.equal(at('other', 'pageant.me.0f3a'), '\\\\.\\pipe\\pageant.me.0f3a');
});
