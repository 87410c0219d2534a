/** The listener's end of the old protocol, against OpenSSH's scp. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { LocalSink } from '#xfer/transports/local/sink.js';
import { LocalSource } from '#xfer/transports/local/source.js';
import { serveLegacy } from '#xfer/transports/ssh/listen/legacy.js';
import { parseLegacyCommand } from '#xfer/transports/ssh/listen/legacy-command.js';
import { findProgram, needs } from '../support/peers.js';
import { type RunResult, runProgram } from '../support/run-xfer.js';
import { differences, makeOddTree } from '../support/trees.js';

/** Stands in for ssh: gives its command and its streams to the server, and ends with the exit code that it left. */
const CLIENT = `
const socket = require('node:net').connect(Number(process.argv[2]), '127.0.0.1');
socket.write(process.argv.at(-1) + '\\n');
process.stdin.pipe(socket).pipe(process.stdout);
socket.on('end', () => process.exit(Number(require('node:fs').readFileSync(process.argv[3]))));
`;

interface Served {
  /** What the client copies from or to. */
  readonly shared: string;
  readonly own: string;
  readonly commands: string[];
  scp(...args: string[]): Promise<RunResult>;
}

async function serve(t: TestContext, options: { readOnly?: boolean } = {}): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-serve-legacy-'));
  const [shared, own] = [join(folder, 'shared'), join(folder, 'own')];
  mkdirSync(shared);
  mkdirSync(own);
  const commands: string[] = [];
  const scope = { signal: new AbortController().signal };
  const pathOf = (word: string) => word.replace(/^~/, '').replace(/^[./]+/, '');
  const served = {
    share: new LocalSource(shared),
    pathOf,
    ...(options.readOnly ? {} : { receive: new LocalSink(shared) }),
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket
      .on('error', () => undefined)
      .once('data', async (first: Buffer) => {
        const at = first.indexOf(10);
        socket.pause();
        socket.unshift(first.subarray(at + 1));
        const line = first.subarray(0, at).toString();
        commands.push(line);
        const command = parseLegacyCommand(line);
        writeFileSync(join(folder, 'code'), String(command ? await serveLegacy(socket, command, served, scope) : 9));
        socket.end();
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const ssh = join(folder, 'ssh');
  writeFileSync(join(folder, 'client.cjs'), CLIENT);
  const port = (server.address() as AddressInfo).port;
  writeFileSync(
    ssh,
    `#!/bin/sh\nexec '${process.execPath}' '${join(folder, 'client.cjs')}' ${port} '${join(folder, 'code')}' "$@"\n`,
  );
  chmodSync(ssh, 0o755);
  const scp = (...args: string[]) =>
    runProgram(findProgram('scp') as string, ['-O', '-S', ssh, ...args], { cwd: own, timeoutMs: 10_000 });
  return { shared, own, commands, scp };
}

describe('scp -O against the listener', needs('scp'), () => {
  test('a tree goes up and comes down, with modes and times', async (t) => {
    const { shared, own, scp } = await serve(t);
    makeOddTree(join(own, 'tree'), 40);
    rmSync(join(own, 'tree', 'new\nline'));
    const up = await scp('-rp', 'tree', 'h:');
    assert.equal(up.exitCode, 0, up.stderr);
    assert.deepEqual(differences(join(own, 'tree'), join(shared, 'tree'), { modes: true, times: true }), []);
    const { exitCode, stderr } = await scp('-rp', 'h:tree', 'back');
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(differences(join(own, 'tree'), join(own, 'back'), { modes: true, times: true }), []);
  });

  test('a file goes to a name, or into a directory', async (t) => {
    const { shared, own, scp } = await serve(t);
    mkdirSync(join(shared, 'dir'));
    writeFileSync(join(own, 'a'), 'aa');
    writeFileSync(join(own, 'b'), 'bb');
    assert.equal((await scp('a', 'h:new\\ name')).exitCode, 0);
    assert.equal((await scp('a', 'b', 'h:dir')).exitCode, 0);
    assert.equal(readFileSync(join(shared, 'new name'), 'utf8'), 'aa');
    assert.deepEqual(readdirSync(join(shared, 'dir')), ['a', 'b']);
    assert.notEqual((await scp('a', 'b', 'h:new\\ name')).exitCode, 0);
    assert.notEqual((await scp('a', 'b', 'h:missing')).exitCode, 0);
    assert.deepEqual(readdirSync(shared), ['dir', 'new name']);
  });

  test('patterns are matched here', async (t) => {
    const { shared, own, scp } = await serve(t);
    for (const name of ['a1', 'a2', 'b1', 'x[1]', '.a3']) writeFileSync(join(shared, name), name);
    mkdirSync(join(shared, 'a4'));
    writeFileSync(join(shared, 'a4', 'a5'), '');
    const { exitCode, stderr } = await scp('h:a*', '.');
    assert.equal(exitCode, 1);
    assert.match(stderr, /a4: is a directory/);
    const literal = await scp('h:x[1]', '.');
    assert.equal(literal.exitCode, 0, literal.stderr);
    const below = await scp('h:*/a5', '.');
    assert.equal(below.exitCode, 0, below.stderr);
    assert.deepEqual(readdirSync(own), ['a1', 'a2', 'a5', 'x[1]']);
  });

  test('what cannot be sent is said, and the rest comes', async (t) => {
    const { own, shared, scp } = await serve(t);
    writeFileSync(join(shared, 'good'), 'x');
    const { exitCode, stderr } = await scp('h:{missing,good}', 'h:missing', 'h:good', '.');
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /missing: no such file/);
    assert.deepEqual(readdirSync(own), ['good']);
  });

  test('one file that cannot be written leaves the others', async (t) => {
    const { shared, own, scp } = await serve(t);
    mkdirSync(join(shared, 'dir', 'b'), { recursive: true });
    for (const name of ['a', 'b', 'c']) writeFileSync(join(own, name), name);
    const { exitCode, stderr } = await scp('a', 'b', 'c', 'h:dir');
    assert.equal(exitCode, 1);
    assert.match(stderr, /dir\/b: is a directory/);
    assert.deepEqual(readdirSync(join(shared, 'dir')), ['a', 'b', 'c']);
    assert.equal(readFileSync(join(shared, 'dir', 'c'), 'utf8'), 'c');
  });

  test('nothing is taken where nothing may be changed', async (t) => {
    const { shared, own, scp } = await serve(t, { readOnly: true });
    writeFileSync(join(own, 'a'), 'a');
    const { exitCode, stderr } = await scp('a', 'h:a');
    assert.equal(exitCode, 1);
    assert.match(stderr, /permission denied/);
    assert.equal(existsSync(join(shared, 'a')), false);
  });
});
