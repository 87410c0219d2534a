/** `xfer serve -`: standard input goes to the first who asks for it, and then all ends. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { patternBytes } from '../../support/fixtures.js';
import { runXfer, type Started, startXfer } from '../../support/run-xfer.js';

const limit = { timeout: 20_000 };
/** More than the buffers of a connection hold. */
const BIG = patternBytes(32 << 20);

async function serve(t: TestContext, words: readonly string[], input: Uint8Array): Promise<[Started, string]> {
  const started = startXfer(['serve', '-', '-b', '127.0.0.1', '-p', '0', ...words], { input });
  t.after(() => started.stop('SIGKILL'));
  const [url] = await started.waitForLine(/http:\/\/127\.0\.0\.1:\d+\//);
  return [started, url];
}

test('who looks takes nothing, who asks first gets all, and the command ends', limit, async (t) => {
  const [started, url] = await serve(t, ['--name', 'backup.tar'], BIG);
  await started.waitForLine(new RegExp(`^download with: xfer get ${url}backup\\.tar$`, 'm'));
  const head = await fetch(`${url}backup.tar`, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers.get('content-type')], [200, 'application/x-tar']);
  const listing = (await (await fetch(`${url}?json`)).json()) as { entries: { name: string }[] };
  assert.deepEqual(
    listing.entries.map(({ name }) => name),
    ['backup.tar'],
  );
  const page = await (await fetch(url)).text();
  assert.ok(page.includes('backup.tar') && !page.includes('value="zip"'), 'no archive is offered');
  assert.equal((await fetch(`${url}?archive=zip`)).status, 400);
  const got = Buffer.from(await (await fetch(`${url}backup.tar`)).arrayBuffer());
  assert.ok(got.equals(BIG));
  assert.deepEqual(await started.exited, { exitCode: 0, signal: null });
  assert.match(started.output(), /^serve: the one download was made, so it ends$/m);
});

test('where the first who asks goes before the end, the bytes are lost and it says so', limit, async (t) => {
  const [started, url] = await serve(t, [], BIG);
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname, () => socket.write('GET /stdin HTTP/1.1\r\nHost: localhost\r\n\r\n'));
  await new Promise((resolve) => socket.once('readable', resolve));
  assert.equal((await fetch(`${url}stdin`)).status, 410, 'somebody has it');
  socket.destroy();
  assert.deepEqual(await started.exited, { exitCode: 5, signal: null });
  assert.match(
    started.output(),
    /^xfer: serve standard input: the download was cut, and what it had not got is lost\n {2}hint: /m,
  );
});

test('what nobody asked for in time is no success', limit, async (t) => {
  const [started] = await serve(t, ['--expires', '1s'], BIG);
  assert.deepEqual(await started.exited, { exitCode: 5, signal: null });
  assert.match(started.output(), /^xfer: serve standard input: its time is over, and nobody has asked for it$/m);
});

test('it is shared alone, over HTTP, and under one name', limit, async () => {
  const rows: [words: string[], said: RegExp][] = [
    [['-', '.'], /^xfer: serve - \.: standard input is shared alone$/m],
    [['-', '--sftp'], /^xfer: serve -: not over SFTP/m],
    [['.', '--name', 'x'], /^xfer: option --name x: only standard input has no name of its own$/m],
    [['.', '--name', 'x', '--sftp'], /^xfer: option --name: not over SFTP$/m],
    [['-', '--name', 'a/b'], /^xfer: option --name a\/b: not the name of a file$/m],
    [['-', '--name', '..'], /^xfer: option --name \.\.: not the name of a file$/m],
    [['-', '--site'], /^xfer: serve standard input: a site is one directory$/m],
  ];
  for (const [words, said] of rows) {
    const { exitCode, stderr } = await runXfer(['serve', '-p', '0', ...words]);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, said);
  }
});
