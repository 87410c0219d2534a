import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import ssh2, { type ServerChannel } from 'ssh2';
import { SshConnection } from '#xfer/transports/ssh/carriers/connection.js';
import { resolveSshConfig } from '#xfer/transports/ssh/config/config.js';
import { collect } from '../../../support/fixtures.js';
import { makeKeyPair } from '../made-up.js';

const scope = { signal: new AbortController().signal };

/** A server that answers each command at once, with all of its packets in one piece. */
async function startServer(t: TestContext, run: (channel: ServerChannel) => void): Promise<SshConnection> {
  const hostKey = makeKeyPair();
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    client.on('authentication', (context) => context.accept());
    client.on('error', () => undefined);
    client.on('session', (accept) =>
      accept().on('exec', (start) => {
        socket?.cork();
        run(start());
        setTimeout(() => socket?.uncork(), 20);
      }),
    );
  });
  let socket: Socket | undefined;
  const listener = createServer((accepted) => {
    socket = accepted;
    server.injectSocket(accepted);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const folder = mkdtempSync(join(tmpdir(), 'xfer-command-'));
  const known = join(folder, 'known_hosts');
  writeFileSync(known, `[127.0.0.1]:${port} ${hostKey.public}\n`);
  const options = [
    `UserKnownHostsFile=${known}`,
    'GlobalKnownHostsFile=none',
    'IdentityAgent=none',
    'IdentityFile=none',
  ];
  const config = await resolveSshConfig({ host: '127.0.0.1', port, user: 'me', configFile: 'none', options });
  const connection = await SshConnection.open({ config, scope });
  t.after(async () => {
    await connection.close();
    listener.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return connection;
}

test('a command that ends as it starts has its exit code and its words', { timeout: 10_000 }, async (t) => {
  const connection = await startServer(t, (channel) => {
    channel.stderr.write('no such program');
    channel.write('some output');
    channel.exit(127);
    channel.end();
  });
  const { stream, stderr, exitCode } = await connection.execute('scp', scope);
  stream.end();
  const [output, words, code] = await Promise.all([collect(stream), collect(stderr), exitCode]);
  assert.deepEqual([output.toString(), words.toString(), code], ['some output', 'no such program', 127]);
});
