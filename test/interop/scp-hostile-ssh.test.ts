/** `xfer scp` with what is hostile before a session of sftp is there: the line, the login, and the words on the command line. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import ssh2, { type AuthContext } from 'ssh2';
import { needs } from '../support/peers.js';
import { processTree } from '../support/processes.js';
import { runXfer, XFER, xferEnvironment } from '../support/run-xfer.js';
import { type Sshd, startSshd } from '../support/sshd.js';
import { makeKeyPair } from '../transports/ssh/made-up.js';

const timeout = 60_000;
const SPOOF = '\u001b[2J\r\u0007evil\u009b31m\u202etxt.exe\u2066';
/** What a terminal would act on. */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const SECRET = 'correct-horse-42';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'xfer-hostile-ssh-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Payload of an unencrypted packet that starts at `at` (RFC 4253, section 6), and where it ends; undefined where it is not whole. */
function packetAt(bytes: Buffer, at: number): { payload: Buffer; end: number } | undefined {
  if (bytes.length < at + 5) return undefined;
  const end = at + 4 + bytes.readUInt32BE(at);
  if (bytes.length < end) return undefined;
  return { payload: bytes.subarray(at + 5, end - (bytes[at + 4] as number)), end };
}

/** The name lists of a KEXINIT (RFC 4253, section 7.1), in their order. */
function nameLists(payload: Buffer): string[][] {
  const lists: string[][] = [];
  for (let at = 17; lists.length < 10; ) {
    const length = payload.readUInt32BE(at);
    lists.push(payload.toString('latin1', at + 4, at + 4 + length).split(','));
    at += 4 + length;
  }
  return lists;
}

const KEXINIT = 20;
/** An SSH_MSG_IGNORE with an empty string, padded to 16 bytes. */
const IGNORE = Buffer.concat([Buffer.from([0, 0, 0, 12, 6, 2, 0, 0, 0, 0]), Buffer.alloc(6)]);

interface Meddler {
  readonly port: number;
  /** What the client sent, unencrypted at first. */
  readonly sent: () => Buffer;
}

/** A proxy that puts an SSH_MSG_IGNORE before or after the server's KEXINIT, or leaves the line alone. */
async function meddler(t: TestContext, sshd: Sshd, where: 'before' | 'after' | undefined): Promise<Meddler> {
  const sent: Buffer[] = [];
  const sockets: Socket[] = [];
  const proxy = createServer((near) => {
    const far = connect(sshd.port, sshd.host);
    sockets.push(near, far);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy()).on('end', () => other.end());
    }
    near.on('data', (chunk: Buffer) => {
      sent.push(chunk);
      far.write(chunk);
    });
    let held: Buffer | undefined = Buffer.alloc(0);
    far.on('data', (chunk: Buffer) => {
      if (!held) return void near.write(chunk);
      held = Buffer.concat([held, chunk]);
      const line = held.indexOf('\n') + 1;
      const packet = line > 0 ? packetAt(held, line) : undefined;
      if (!packet) return;
      assert.equal(packet.payload[0], KEXINIT);
      const cut = where === 'before' ? line : packet.end;
      near.write(where ? Buffer.concat([held.subarray(0, cut), IGNORE, held.subarray(cut)]) : held);
      held = undefined;
    });
  });
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
    await once(proxy, 'close');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return { port: (proxy.address() as AddressInfo).port, sent: () => Buffer.concat(sent) };
}

test('Terrapin: strict key exchange is offered, and an injected packet ends the connection', {
  ...needs('sshd', 'ssh-keygen'),
  timeout,
}, async (t) => {
  const sshd = await startSshd();
  t.after(() => sshd.stop());
  const file = join(folder(t), 'a');
  writeFileSync(file, 'some bytes');
  for (const where of [undefined, 'before', 'after'] as const) {
    const { port, sent } = await meddler(t, sshd, where);
    const alias = ['-P', String(port), '-o', `HostKeyAlias=[${sshd.host}]:${sshd.port}`, '--retry', '0'];
    const result = await runXfer(['scp', '-F', sshd.configFile, ...alias, file, `rig:${sshd.directory}/${where}`]);
    const packet = packetAt(sent(), sent().indexOf('\n') + 1);
    assert.equal(packet?.payload[0], KEXINIT);
    const lists = nameLists(packet?.payload as Buffer);
    assert.ok(lists[0]?.includes('kex-strict-c-v00@openssh.com'));
    // What the attack needs comes after what it cannot touch, for a server that knows no strict exchange.
    for (const ciphers of lists.slice(2, 4)) assert.match(ciphers[0] ?? '', /-gcm@openssh\.com$/);
    if (where) {
      assert.ok([5, 6].includes(result.exitCode ?? 0), result.stderr);
      assert.match(result.stderr, /strict|unexpected|KEX/i);
      assert.doesNotMatch(sshd.log(), /Accepted publickey.*\n(?:.*\n)*.*Accepted publickey/);
    } else assert.equal(result.exitCode, 0, result.stderr);
  }
  assert.deepEqual(readdirSync(sshd.directory), ['undefined']);
});

interface Rig {
  /** Command-line words that lead to the server. */
  readonly words: string[];
  /** Command lines of all that ran when the login was over. */
  readonly commandLines: string[];
}

/** An SSH server whose banner, names and prompts are hostile, and that offers no session. */
async function hostileLogin(t: TestContext, login: (context: AuthContext) => void, root: () => number): Promise<Rig> {
  const key = makeKeyPair();
  const commandLines: string[] = [];
  const server = new ssh2.Server({ hostKeys: [key.private], banner: `welcome ${SPOOF}\n${SPOOF}` }, (client) => {
    client.on('authentication', login).on('error', () => undefined);
    client.on('session', (_accept, reject) => {
      for (const pid of processTree(root())) commandLines.push(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
      reject();
    });
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const known = join(folder(t), 'known_hosts');
  writeFileSync(known, `[127.0.0.1]:${port} ${key.public.split(' ').slice(0, 2).join(' ')}\n`);
  const settings = [`UserKnownHostsFile=${known}`, 'GlobalKnownHostsFile=none', 'IdentityAgent=none'];
  const words = ['-F', 'none', '-P', String(port), ...settings.flatMap((setting) => ['-o', setting])];
  return { words, commandLines };
}

interface Terminal {
  readonly pid: number;
  readonly ended: Promise<{ exitCode: number | null; output: string }>;
}

/** A command on a terminal; each question that matches is answered once. */
function onTerminal(command: readonly string[], questions: readonly (readonly [RegExp, string])[]): Terminal {
  const line = command.map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', line, '/dev/null'], { env: xferEnvironment({ SHELL: '/bin/sh' }) });
  const left = [...questions];
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (!left[0]?.[0].test(output)) return;
    child.stdin.write(`${left.shift()?.[1]}\r`);
  });
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode: exitCode as number | null, output }));
  return { pid: child.pid as number, ended };
}

for (const method of ['password', 'keyboard-interactive'] as const) {
  test(`CVE-2019-6110, secrets: ${method} with a hostile banner and prompts, and -v -v -v`, {
    ...needs('script'),
    timeout,
    skip: process.platform === 'linux' ? false : 'reads /proc',
  }, async (t) => {
    let terminal: Terminal | undefined;
    const { words, commandLines } = await hostileLogin(
      t,
      (context) => {
        if (context.method === 'keyboard-interactive' && method === 'keyboard-interactive') {
          const prompts = [{ prompt: `Code ${SPOOF}: `, echo: false }];
          context.prompt(prompts, `name ${SPOOF}`, `do this ${SPOOF}`, ([answer]) =>
            answer === SECRET ? context.accept() : context.reject([method]),
          );
        } else if (context.method === 'password' && method === 'password' && context.password === SECRET) {
          context.accept();
        } else context.reject([method]);
      },
      () => terminal?.pid ?? 0,
    );
    for (const shown of ['-v', '--json']) {
      const command = [process.execPath, XFER, 'scp', shown, '-v', '-v', ...words, 'me@127.0.0.1:a', folder(t)];
      terminal = onTerminal(command, [[method === 'password' ? /password: / : /Code .*: /, SECRET]]);
      const { exitCode, output } = await terminal.ended;
      assert.equal(exitCode, 4, output);
      assert.match(output, /evil/);
      for (const line of output.split('\n')) assert.doesNotMatch(line.replace(/\r+$/, ''), ACTIVE);
      assert.doesNotMatch(output, new RegExp(SECRET));
    }
    assert.ok(commandLines.some((words) => words.includes('me@127.0.0.1')));
    assert.ok(commandLines.every((words) => !words.includes(SECRET)));
  });
}

/** Names that a shell, an option parser or a terminal would act on (CVE-2023-51385, CVE-2025-61984, CVE-2025-61985). */
const HOSTILE_OPERANDS: readonly string[] = [
  '-oProxyCommand=touch pwned:a',
  'me@-oProxyCommand=touch pwned:a',
  '`touch pwned`:a',
  '$(touch pwned)@host:a',
  "a';touch pwned;'@host:a",
  'a\ntouch pwned\n@host:a',
  'host\ntouch pwned\n:a',
  'me@host;touch pwned;:a',
  'scp://me%0atouch%20pwned%0a@host/a',
  'scp://me%00@host/a',
  'sftp://-oProxyCommand=touch@host/a',
];

test('CVE-2023-51385: a hostile user or host starts nothing, whatever the configuration would expand', {
  timeout,
}, async (t) => {
  const cwd = folder(t);
  const config = join(cwd, 'config');
  const lines = ['Match exec "touch pwned-by-match #%r %h"', 'Host *', 'ProxyCommand touch pwned-by-proxy; echo %r@%h'];
  writeFileSync(config, `${lines.join('\n')}\n`);
  writeFileSync(join(cwd, 'f'), 'bytes');
  for (const operand of HOSTILE_OPERANDS) {
    for (const operands of [
      ['f', operand],
      [operand, 'got'],
    ]) {
      for (const carrier of [[], ['-S', 'ssh']]) {
        const result = await runXfer(['scp', '-F', config, '--retry', '0', ...carrier, '--', ...operands], { cwd });
        assert.ok([2, 3].includes(result.exitCode ?? 0), `${operand}: ${result.exitCode} ${result.stderr}`);
        for (const line of result.stderr.split('\n')) assert.doesNotMatch(line, ACTIVE);
        assert.deepEqual(readdirSync(cwd).sort(), ['config', 'f'], operand);
      }
    }
  }
  assert.equal(existsSync(join(cwd, 'pwned')), false);
});
