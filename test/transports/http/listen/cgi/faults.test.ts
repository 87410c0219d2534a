/** Scripts that fail, stall, lie or are left alone. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertNoMoreThan, countOpen } from '../../../../support/leaks.js';
import { exchange, get as rawGet, until } from '../rig.js';
import { ask } from '../site/site-rig.js';
import { HEAD, serveScripts } from './cgi-rig.js';

const ANY_TIME = { timeout: 30_000 };

/** Whether a process is there: signal 0 only asks. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function pidsIn(path: string): Promise<number[]> {
  await until(() => existsSync(path));
  return (await readFile(path, 'utf8')).trim().split('\n').map(Number);
}

/** Writes its own number and that of a child, and goes on for long. */
const STAYS = 'sleep 300 & printf "%s\\n%s\\n" $$ $! > ../pids.new; mv ../pids.new ../pids; wait';

test('heads that are none are 502', ANY_TIME, async (t) => {
  const heads: Record<string, [script: string, words: RegExp]> = {
    nothing: ['exit 0', /ended without a whole head/],
    failing: ['exit 3', /whole head; its exit code was 3/],
    half: ["printf 'Content-Type: text/plain\\n'", /whole head/],
    text: ['echo hello; echo', /no field of a head: hello/],
    typeless: ["printf 'X-Own: 1\\n\\nbody'", /no Content-Type/],
    untyped: ["printf 'Status: 404\\n\\n'; sleep 0.1; echo body", /no Content-Type/],
    blank: ["printf '\\nbody'", /no Content-Type/],
    twice: ["printf 'Content-Type: a/b\\ncontent-type: c/d\\n\\n'", /content-type more than once/],
    status: ["printf 'Status: 99\\nContent-Type: a/b\\n\\n'", /no status: 99/],
    informs: ["printf 'Status: 101 Switching\\nContent-Type: a/b\\n\\n'", /no status: 101/],
    coded: ["printf 'Content-Type: a/b\\nTransfer-Encoding: chunked\\n\\n0\\r\\n'", /Transfer-Encoding/],
    length: ["printf 'Content-Type: a/b\\nContent-Length: -1\\n\\n'", /no Content-Length/],
    folded: ["printf 'Content-Type: a/b\\n c\\n\\n'", /no field of a head/],
    control: ["printf 'Content-Type: a/b\\nX: a\\033b\\n\\n'", /no field of a head/],
    return: ["printf 'Content-Type: a/b\\nX: a\\rSet-Cookie: x\\n\\n'", /no field of a head/],
    location: ["printf 'Location: evil page\\n\\n'", /Location is neither/],
    many: ["printf 'Content-Type: a/b\\n'; seq -f 'X-%g: 1' 1 200; echo", /more than 100 fields/],
    huge: ["head -c 70000 /dev/zero | tr '\\0' a", /more than 65536 bytes/],
    endless: ["yes 'X: 1'", /more than 65536 bytes/],
  };
  const scripts = Object.entries(heads).map(([name, [script]]) => [`cgi-bin/${name}`, script]);
  const { port, notices } = await serveScripts(t, Object.fromEntries(scripts));
  for (const [name, [, words]] of Object.entries(heads)) {
    const { status, body, fields } = await ask(port, `/cgi-bin/${name}`);
    assert.deepEqual([status, body], [502, '502 Bad Gateway\n'], name);
    assert.equal(fields['set-cookie'], undefined);
    assert.match(notices.at(-1) ?? '', words, name);
  }
});

test('an answer without a body needs no Content-Type', ANY_TIME, async (t) => {
  const { port } = await serveScripts(t, {
    'cgi-bin/gone': "printf 'Status: 404 Not Here\\nX-Own: 1\\n\\n'",
    'cgi-bin/later': "printf 'Status: 403\\n\\n'; sleep 0.1",
  });
  const gone = await ask(port, '/cgi-bin/gone');
  assert.deepEqual([gone.status, gone.body, gone.fields['x-own']], [404, '', '1']);
  assert.equal((await ask(port, '/cgi-bin/later')).status, 403);
});

test('what cannot be started, and what ends with a code after it answered', ANY_TIME, async (t) => {
  const { port, notices } = await serveScripts(t, {
    'cgi-bin/lost': '#!/no/such/interpreter\n',
    'cgi-bin/coded': `${HEAD}; echo all; exit 1`,
  });
  assert.equal((await ask(port, '/cgi-bin/lost')).status, 500);
  assert.match(notices.at(-1) ?? '', /^cgi \/cgi-bin\/lost: start: no such file/);
  assert.equal((await ask(port, '/cgi-bin/coded')).body, 'all\n');
});

test('a silent script is ended with all that it started, and answered for', ANY_TIME, async (t) => {
  const { port, root, notices } = await serveScripts(
    t,
    {
      'cgi-bin/silent': STAYS,
      'cgi-bin/stubborn': `trap '' TERM; ${STAYS}; ${STAYS}`,
      'cgi-bin/begins': `${HEAD}; echo begun; ${STAYS}`,
      'cgi-bin/leaves': `${HEAD}; echo left; sleep 300 & exit 0`,
    },
    { timeoutMs: 300 },
  );
  for (const name of ['silent', 'stubborn']) {
    const { status } = await ask(port, `/cgi-bin/${name}`);
    assert.equal(status, 504, name);
    assert.match(notices.at(-1) ?? '', /nothing came from it for too long/);
    const pids = await pidsIn(join(root, 'pids'));
    assert.equal(pids.length, 2);
    await until(() => !pids.some(isAlive));
  }
  await assert.rejects(ask(port, '/cgi-bin/begins'), 'an answer that is cut must not look whole');
  await assert.rejects(ask(port, '/cgi-bin/leaves'), 'what it left behind has the output still');
  const pids = await pidsIn(join(root, 'pids'));
  await until(() => !pids.some(isAlive));
});

test('one that says something now and then may take its time', ANY_TIME, async (t) => {
  const { port } = await serveScripts(
    t,
    { 'cgi-bin/slow': `${HEAD}; for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done` },
    { timeoutMs: 700 },
  );
  assert.equal((await ask(port, '/cgi-bin/slow')).body, '1\n2\n3\n4\n5\n6\n');
});

test('a client that hangs up ends the script', ANY_TIME, async (t) => {
  const { port, root } = await serveScripts(t, {
    'cgi-bin/silent': STAYS,
    'cgi-bin/endless': `printf "%s\\n" $$ > ../one.new; mv ../one.new ../one; ${HEAD}; exec yes`,
  });
  const silent = connect(port, '127.0.0.1');
  silent.write('GET /cgi-bin/silent HTTP/1.1\r\nHost: test\r\n\r\n');
  const pids = await pidsIn(join(root, 'pids'));
  silent.destroy();
  await until(() => !pids.some(isAlive));
  const endless = connect(port, '127.0.0.1');
  endless.write('GET /cgi-bin/endless HTTP/1.1\r\nHost: test\r\n\r\n');
  await new Promise((resolve) => endless.once('data', resolve));
  const [pid = 0] = await pidsIn(join(root, 'one'));
  endless.destroy();
  await until(() => !isAlive(pid));
});

test('a slow client holds a script up, and no memory fills; it is not ended for that', ANY_TIME, async (t) => {
  const { port } = await serveScripts(t, { 'cgi-bin/big': `${HEAD}; head -c 50000000 /dev/zero` }, { timeoutMs: 200 });
  const before = process.memoryUsage().rss;
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /cgi-bin/big HTTP/1.0\r\n\r\n');
  let length = 0;
  let paused = false;
  socket.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (paused || length < 1_000_000) return;
    paused = true;
    socket.pause();
    setTimeout(() => socket.resume(), 1000);
  });
  await new Promise((resolve) => socket.once('close', resolve));
  assert.ok(paused);
  assert.ok(length > 50_000_000, `${length} bytes came`);
  assert.ok(process.memoryUsage().rss - before < 100 << 20);
});

test('a death in the middle, and lengths that are not kept, cut the connection', ANY_TIME, async (t) => {
  const { port } = await serveScripts(t, {
    'cgi-bin/dies': `${HEAD}; echo part; kill -9 $$`,
    'cgi-bin/short': "printf 'Content-Type: a/b\\nContent-Length: 10\\n\\nshort'",
    'cgi-bin/long': "printf 'Content-Type: a/b\\nContent-Length: 4\\n\\nlongHTTP/1.1 200 OK\\r\\n\\r\\nsmuggled'",
  });
  for (const name of ['dies', 'short', 'long']) {
    await assert.rejects(ask(port, `/cgi-bin/${name}`), name);
    const next = 'GET /cgi-bin/short HTTP/1.1\r\nHost: test\r\n\r\n';
    const answer = await exchange(port, `GET /cgi-bin/${name} HTTP/1.1\r\nHost: test\r\n\r\n${next}`);
    assert.doesNotMatch(answer, /smuggled/);
    assert.doesNotMatch(answer, /\r\n0\r\n\r\n/, 'no end of a whole body');
  }
});

test('no more scripts at once than are allowed, and their places come back', ANY_TIME, async (t) => {
  const { port } = await serveScripts(t, { 'cgi-bin/wait': `${HEAD}; read line; echo $line` }, { maxScripts: 2 });
  const wait = (localAddress = '127.0.0.1'): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', localAddress });
      held.push(() => socket.write('go\n'));
      socket.on('error', () => undefined);
      socket.setEncoding('latin1');
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
        if (text.includes('\r\n\r\n')) started += 1;
      });
      socket.once('close', () => resolve(text));
      socket.write('POST /cgi-bin/wait HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: 3\r\n\r\n');
    });
  const held: (() => void)[] = [];
  let started = 0;
  const both = [wait('127.0.0.2')];
  await until(() => started === 1);
  assert.match(await wait('127.0.0.2'), /^HTTP\/1\.1 503 /, 'half of the places are for others');
  started = 1;
  both.push(wait());
  await until(() => started === 2);
  const third = await rawGet(port, '/cgi-bin/wait');
  assert.match(third, /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 1\r\n/);
  for (const go of held) go();
  for (const text of await Promise.all(both)) assert.match(text, /go/);
  let status = 503;
  while (status === 503) status = (await ask(port, '/cgi-bin/wait')).status;
  assert.equal(status, 200);
});

test('the log holds what is printable, and not all that a script says', ANY_TIME, async (t) => {
  const { port, notices } = await serveScripts(t, {
    'cgi-bin/escape': `printf '\\033]0;evil\\007\\n' >&2; ${HEAD}`,
    'cgi-bin/loud': `seq 1 5000 >&2; head -c 200000 /dev/zero >&2; ${HEAD}; echo end`,
  });
  await ask(port, '/cgi-bin/escape');
  assert.deepEqual(notices, ['cgi /cgi-bin/escape: \\x1b]0;evil\\x07']);
  assert.equal((await ask(port, '/cgi-bin/loud')).body, 'end\n');
  assert.ok(notices.length < 60);
  assert.match(notices.at(-1) ?? '', /left out/);
});

test('the end of the listener ends its scripts', ANY_TIME, async (t) => {
  const { port, root, listener } = await serveScripts(t, { 'cgi-bin/silent': `trap '' TERM; ${STAYS}; ${STAYS}` });
  const answer = rawGet(port, '/cgi-bin/silent').catch(() => '');
  const pids = await pidsIn(join(root, 'pids'));
  await listener.close();
  assert.equal(await answer, '');
  await until(() => !pids.some(isAlive));
});

test('300 scripts in all ways leave nothing behind', { timeout: 60_000 }, async (t) => {
  const { port } = await serveScripts(t, {
    'cgi-bin/hello': `${HEAD}; echo hello`,
    'cgi-bin/fails': 'exit 1',
    'cgi-bin/lost': '#!/no/such/interpreter\n',
    'cgi-bin/sleeps': `${HEAD}; echo now; sleep 300`,
  });
  await ask(port, '/cgi-bin/hello');
  await new Promise((resolve) => setImmediate(resolve));
  const before = countOpen();
  for (let round = 0; round < 60; round += 1) {
    const hangUp = new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.write('GET /cgi-bin/sleeps HTTP/1.1\r\nHost: test\r\n\r\n');
      socket.once('data', () => socket.destroy());
      socket.once('close', () => resolve());
    });
    await Promise.all([
      ask(port, '/cgi-bin/hello'),
      ask(port, '/cgi-bin/hello', {}, 'HEAD'),
      ask(port, '/cgi-bin/fails'),
      ask(port, '/cgi-bin/lost'),
      hangUp,
    ]);
  }
  await assertNoMoreThan(before, 5000);
});
