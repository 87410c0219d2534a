import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { takeInheritedSockets } from '#xfer/cli/inherited-sockets.js';
import { XFER, xferEnvironment } from '../support/run-xfer.js';

const posixOnly = {
  timeout: 20_000,
  ...(process.platform === 'win32' ? { skip: 'Windows hands no descriptors down' } : {}),
};

test('the sockets of this very process, and the variables are taken out', () => {
  const env = { LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b', HOME: '/' };
  assert.deepEqual(takeInheritedSockets(env, 42), [3, 4]);
  assert.deepEqual(env, { HOME: '/' });
  const others: [Record<string, string>, number][] = [
    [{ LISTEN_PID: '41', LISTEN_FDS: '2' }, 42],
    [{ LISTEN_FDS: '2' }, 42],
    [{ LISTEN_PID: '42' }, 42],
    [{ LISTEN_PID: '42', LISTEN_FDS: '0' }, 42],
    [{ LISTEN_PID: '42', LISTEN_FDS: '-1' }, 42],
    [{ LISTEN_PID: '42', LISTEN_FDS: '1e3' }, 42],
    [{ LISTEN_PID: '42', LISTEN_FDS: '9999' }, 42],
  ];
  for (const [each, pid] of others) {
    assert.deepEqual(takeInheritedSockets(each, pid), [], JSON.stringify(each));
    assert.deepEqual(each, {});
  }
});

interface Handed {
  /** All that it printed so far. */
  output(): string;
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  readonly exited: Promise<number | null>;
}

/** `xfer ...args` with sockets that listen, as a service manager starts it. */
function startWith(t: TestContext, servers: readonly Server[], args: readonly string[]): Handed {
  const env = xferEnvironment({ LISTEN_FDS: String(servers.length), LISTEN_FDNAMES: 'a' });
  // The pid is known to the shell that becomes the command.
  const words = ['-c', 'export LISTEN_PID=$$; exec "$@"', 'sh', process.execPath, XFER, ...args];
  const child = spawn('sh', words, { env, stdio: ['ignore', 'pipe', 'pipe', ...servers.map(descriptorOf)] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return {
    output: () => text,
    exited,
    async waitFor(pattern) {
      for (;;) {
        const match = pattern.exec(text);
        if (match) return match;
        assert.equal(child.exitCode, null, text);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}

/** Node tells it to nobody. */
function descriptorOf(server: Server): number {
  return (server as unknown as { _handle: { fd: number } })._handle.fd;
}

async function listening(t: TestContext, where: string | number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    if (typeof where === 'string') server.listen(where, resolve);
    else server.listen(where, '127.0.0.1', resolve);
  });
  t.after(() => server.close());
  return server;
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'xfer-handed-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  writeFileSync(join(path, 'file'), 'hello');
  return path;
}

test('it serves on sockets that it was started with, TCP and unix', posixOnly, async (t) => {
  const root = folder(t);
  const path = join(root, '.x.sock');
  const [tcp, unix] = [await listening(t, 0), await listening(t, path)];
  const { port } = tcp.address() as AddressInfo;
  const xfer = startWith(t, [tcp, unix], ['serve', root]);
  await xfer.waitFor(new RegExp(`^serving on http://127\\.0\\.0\\.1:${port}/$`, 'm'));
  await xfer.waitFor(/^serving on fd:4$/m);
  // The parent's own copies take connections too, until they are closed; that of the path would remove it.
  tcp.close();
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/file`)).text(), 'hello');
});

test('and over SFTP', posixOnly, async (t) => {
  const tcp = await listening(t, 0);
  const { port } = tcp.address() as AddressInfo;
  const xfer = startWith(t, [tcp], ['serve', '--sftp', folder(t)]);
  await xfer.waitFor(new RegExp(`^serving on sftp://127\\.0\\.0\\.1:${port}/ `, 'm'));
  tcp.close();
  const greeting = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', (chunk) => {
      socket.destroy();
      resolve(chunk.toString());
    });
    socket.once('error', reject);
  });
  assert.match(greeting, /^SSH-2\.0-xfer/);
});

test('an address beside a socket that was handed down is refused', posixOnly, async (t) => {
  const root = folder(t);
  const tcp = await listening(t, 0);
  for (const more of [['8000'], ['--bind', '127.0.0.1']]) {
    const xfer = startWith(t, [tcp], ['serve', root, ...more]);
    assert.equal(await xfer.exited, 2);
    assert.match(xfer.output(), /made by the service manager, and an address is given as well/);
  }
});
