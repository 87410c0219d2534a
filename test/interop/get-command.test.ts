/** `xfer get` with its options, as a person types them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type RunResult, runXfer } from '../support/run-xfer.js';
import { OLD, serve } from '../transports/http/hostile-server.js';

const limit = { timeout: 60_000 };
const BODY = 'the body of the file\n';
const HEX = createHash('sha256').update(BODY).digest('hex');
const OTHER = 'f'.repeat(64);

interface Rig {
  readonly folder: string;
  readonly url: string;
  /** What was asked: method, path, and the fields that carry secrets. */
  readonly asked: {
    readonly path: string;
    readonly authorization?: string | undefined;
    readonly cookie?: string | undefined;
  }[];
  get(...words: string[]): Promise<RunResult>;
  read(name: string): string;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function prepare(t: TestContext, answers: Record<string, Answer | string> = {}): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-get-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const asked: Rig['asked'] = [];
  const url = await serve(t, (request, response) => {
    const { authorization, cookie } = request.headers;
    asked.push({ path: request.url ?? '', authorization, cookie });
    const answer = answers[request.url ?? ''] ?? (request.url?.startsWith('/f') ? BODY : undefined);
    if (typeof answer === 'function') return answer(request, response);
    if (answer === undefined) return response.writeHead(404).end();
    const fields = { etag: '"1"', 'last-modified': OLD, 'content-length': Buffer.byteLength(answer) };
    return response.writeHead(200, fields).end(answer);
  });
  const get = (...words: string[]) =>
    runXfer(['get', ...words], { cwd: folder, env: { no_proxy: '*', NETRC: '/dev/null' } });
  return { folder, url, asked, get, read: (name) => readFileSync(join(folder, name), 'utf8') };
}

test('one, many, a directory, standard output; names and times kept; never over a file', limit, async (t) => {
  const { folder, url, get, read } = await prepare(t);
  assert.equal((await get(`${url}/f1`)).exitCode, 0);
  assert.equal(statSync(join(folder, 'f1')).mtimeMs, Date.parse(OLD));
  assert.equal((await get('-o', 'in/', `${url}/f2`)).exitCode, 3);
  assert.equal((await get(`${url}/f2`, `${url}/f3`, '-o', '.')).exitCode, 0);
  assert.deepEqual([read('f2'), read('f3')], [BODY, BODY]);
  assert.equal((await get('-o', '-', `${url}/f`)).stdout.toString(), BODY);
  writeFileSync(join(folder, 'f1'), 'mine');
  const refused = await get(`${url}/f1`);
  assert.equal(refused.exitCode, 8);
  assert.match(refused.stderr, /get f1 to \.: the file is there already\n.*--overwrite/);
  const twice = await get('-o', 'f1', `${url}/f9`);
  assert.match(twice.stderr, /get f9 to f1: the file is there already\n/);
  const partly = await get(`${url}/f1`, `${url}/f4`);
  assert.equal(partly.exitCode, 9);
  assert.match(partly.stderr, /get f1 to \.: the file is there already, and left alone; the rest arrived/);
  const worse = await get(`${url}/f1`, `${url}/f4`, `${url}/none`);
  assert.equal(worse.exitCode, 9);
  assert.match(worse.stderr, /get f1 and 1 more to \.: files are there already, and left alone; 1 failed/);
  assert.deepEqual([read('f1'), read('f4')], ['mine', BODY]);
  assert.equal((await get('--overwrite', `${url}/f1`)).exitCode, 0);
  assert.equal(read('f1'), BODY);
  assert.equal((await get('-o', '-', `${url}/f1`, `${url}/f2`)).exitCode, 2);
});

test('-c leaves what is whole, replaces what is shorter, and says so', limit, async (t) => {
  const { folder, url, get, read } = await prepare(t);
  writeFileSync(join(folder, 'f'), BODY.slice(0, 5));
  const again = await get('-c', `${url}/f`);
  assert.equal(again.exitCode, 0, again.stderr);
  assert.match(again.stderr, /f: starts again: nothing says of which version/);
  assert.equal(read('f'), BODY);
  assert.equal((await get('-c', `${url}/f`)).exitCode, 0);
  writeFileSync(join(folder, 'f'), `${BODY} and more`);
  assert.equal((await get('-c', `${url}/f`)).exitCode, 8);
  writeFileSync(join(folder, 'f'), BODY.toUpperCase());
  assert.equal((await get('-c', `${url}/f`)).exitCode, 8, 'of the same size, and younger');
});

test(
  '-c leaves what has the digest that is asked for, whatever its time, and copies what has another',
  limit,
  async (t) => {
    const digest = `sha-256=:${Buffer.from(HEX, 'hex').toString('base64')}:`;
    const { folder, url, get, read } = await prepare(t, {
      '/SHA256SUMS': `${HEX}  f\n`,
      '/tree/': (_, response) => response.setHeader('content-type', 'text/html').end('<a href="f">f</a>'),
      '/tree/SHA256SUMS': `${HEX}  f\n`,
      '/tree/f': BODY,
      '/stated': (_, response) => {
        const fields = { 'repr-digest': digest, 'last-modified': OLD, 'content-length': BODY.length };
        response.writeHead(200, fields).end(BODY);
      },
    });
    const place = (name: string, text: string, time: string) => {
      writeFileSync(join(folder, name), text);
      utimesSync(join(folder, name), new Date(time), new Date(time));
    };
    for (const [name, ...words] of [
      ['f', '--sha256', HEX],
      ['f', '--checksums'],
      ['stated', '--verify'],
      ['f', '--verify'],
    ] as [string, ...string[]][]) {
      place(name, BODY.toUpperCase(), OLD);
      const anew = await get('-c', ...words, `${url}/${name}`);
      assert.equal(anew.exitCode, 0, `${words} ${anew.stderr}`);
      assert.equal(read(name), BODY, `${words}`);
      if (name === 'f' && words[0] === '--verify') continue;
      place(name, BODY, '2020-01-01');
      const kept = await get('-c', ...words, `${url}/${name}`);
      assert.equal(kept.exitCode, 0, `${words} ${kept.stderr}`);
      assert.match(kept.stderr, /0 files/);
      place(name, BODY.toUpperCase(), '2020-01-01');
      assert.equal((await get('-c', ...words, `${url}/${name}`)).exitCode, 8);
    }
    place('f', BODY.toUpperCase(), OLD);
    assert.equal((await get('-c', '--sha256', OTHER, `${url}/f`)).exitCode, 7);
    assert.equal(read('f'), BODY.toUpperCase(), 'what does not come is not put in its place');
    mkdirSync(join(folder, 'tree'));
    place('tree/f', BODY.toUpperCase(), OLD);
    const tree = await get('-r', '-c', '--checksums', `${url}/tree/`);
    assert.equal(tree.exitCode, 0, tree.stderr);
    assert.equal(read('tree/f'), BODY);
  },
);

test('--sha256, --checksum-url and --checksums', limit, async (t) => {
  const { folder, url, get } = await prepare(t, {
    '/good.txt': `${HEX}  f1\n${OTHER}  f2\n`,
    '/page': '<html>no digests</html>',
    '/sums/SHA256SUMS': `${HEX} *f1\n`,
    '/sums/f1': BODY,
    '/sums/f3': BODY,
    '/sums/f3.sha256': `${OTHER}\n`,
    '/sums/f4': BODY,
  });
  const outcome = async (code: number, said: RegExp, ...words: string[]) => {
    rmSync(join(folder, 'out'), { force: true });
    const { exitCode, stderr } = await get('-o', 'out', ...words);
    assert.equal(exitCode, code, stderr);
    assert.match(stderr, said);
    assert.equal(existsSync(join(folder, 'out')), code === 0);
    assert.deepEqual(readdirSync(folder), code === 0 ? ['out'] : []);
  };
  await outcome(0, /sha256 checked as --sha256 says/, '--sha256', HEX.toUpperCase(), `${url}/f1`);
  await outcome(7, /its sha256 is .*and --sha256 says/, '--sha256', OTHER, `${url}/f1`);
  await outcome(2, /not a SHA-256/, '--sha256', 'abc', `${url}/f1`);
  await outcome(0, /checked as http:\S+good\.txt says/, '--checksum-url', `${url}/good.txt`, `${url}/f1`);
  await outcome(7, /good\.txt says/, '--checksum-url', `${url}/good.txt`, `${url}/f2`);
  await outcome(3, /does not list it/, '--checksum-url', `${url}/good.txt`, `${url}/f9`);
  await outcome(6, /no SHA-256/, '--checksum-url', `${url}/page`, `${url}/f1`);
  await outcome(3, /404/, '--checksum-url', `${url}/gone`, `${url}/f1`);
  await outcome(0, /checked as SHA256SUMS says/, '--checksums', `${url}/sums/f1`);
  await outcome(7, /f3\.sha256 says/, '--checksums', `${url}/sums/f3`);
  await outcome(3, /neither SHA256SUMS nor f4\.sha256/, '--checksums', `${url}/sums/f4`);
});

test('--verify asks the server for a digest, and one that comes unasked is compared too', limit, async (t) => {
  const digest = (text: string) => `sha-256=:${createHash('sha256').update(text).digest('base64')}:`;
  const { url, get, folder } = await prepare(t, {
    '/unasked': (_, response) => response.writeHead(200, { 'repr-digest': digest('another') }).end(BODY),
    '/asked': ({ headers }, response) => {
      const fields = headers['want-repr-digest'] === undefined ? {} : { 'repr-digest': digest(BODY) };
      response.writeHead(200, { ...fields, etag: '"1"', 'content-length': BODY.length }).end(BODY);
    },
    '/behind': (_, response) => {
      response.writeHead(200, { trailer: 'Repr-Digest', 'transfer-encoding': 'chunked' });
      response.write(BODY);
      response.addTrailers({ 'Repr-Digest': digest('another') });
      response.end();
    },
  });
  assert.equal((await get(`${url}/unasked`)).exitCode, 7);
  assert.equal((await get(`${url}/behind`)).exitCode, 7);
  const asked = await get('--verify', `${url}/asked`);
  assert.match(asked.stderr, /sha256 checked as the server says/);
  assert.deepEqual(readdirSync(folder), ['asked']);
});

test('logins by --auth, netrc and the URL stay with their host; cookies come from a file', limit, async (t) => {
  const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;
  const elsewhere = await prepare(t);
  const away: Answer = (_, response) => response.writeHead(302, { location: `${elsewhere.url}/f` }).end();
  const { url, get, asked, folder } = await prepare(t, { '/away': away });
  const { host } = new URL(url);
  writeFileSync(join(folder, 'netrc'), 'machine 127.0.0.1 login anna password from-netrc\n');
  writeFileSync(join(folder, 'jar'), '127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\ts1\n');
  const run = async (...words: string[]) => {
    const { exitCode, stderr } = await get('--overwrite', '-o', 'out', ...words);
    assert.equal(exitCode, 0, stderr);
    return asked.splice(0);
  };
  assert.equal((await run('-u', 'bob:p:w', `${url}/f`))[0]?.authorization, basic('bob:p:w'));
  assert.equal((await run(`http://eve:x@${host}/f`))[0]?.authorization, basic('eve:x'));
  assert.equal((await run('--netrc', 'netrc', `${url}/f`))[0]?.authorization, basic('anna:from-netrc'));
  assert.equal((await run('-u', 'b:c', '--netrc', 'netrc', `${url}/f`))[0]?.authorization, basic('b:c'));
  assert.equal((await run('-b', 'jar', '-H', 'Cookie: a=b', `${url}/f`))[0]?.cookie, 'a=b; session=s1');
  await run('-u', 'bob:secret', '-H', 'Cookie: a=b', `${url}/away`);
  assert.deepEqual(elsewhere.asked, [{ path: '/f', authorization: undefined, cookie: undefined }]);
  const wrong = await get('-b', 'netrc', `${url}/f`);
  assert.equal(wrong.exitCode, 2);
  assert.doesNotMatch(wrong.stderr, /from-netrc/);
});

test('a busy server is asked again when it says, and not more often than --retry allows', limit, async (t) => {
  let tries = 0;
  const busy: Answer = (_, response) => {
    tries += 1;
    if (tries === 1) response.writeHead(200, { 'content-length': 9 }).flushHeaders();
    if (tries === 1) setImmediate(() => response.destroy());
    else if (tries < 4) response.writeHead([429, 503][tries - 2] ?? 500, { 'retry-after': '0' }).end();
    else response.writeHead(200, { 'content-length': 9 }).end('patience!');
  };
  const { url, get, read } = await prepare(t, { '/busy': busy });
  const { exitCode, stderr } = await get(`${url}/busy`);
  assert.equal(exitCode, 0, stderr);
  assert.equal(read('busy'), 'patience!');
  assert.match(stderr, /429.*try/);
});

test('a name that the server gives is a safe base name', limit, async (t) => {
  const named: Answer = (_, response) => {
    response.writeHead(200, { 'content-disposition': 'attachment; filename="../../.ssh/evil"' }).end(BODY);
  };
  const { url, get, folder } = await prepare(t, { '/named': named });
  assert.equal((await get(`${url}/named`)).exitCode, 0);
  assert.deepEqual(readdirSync(folder), ['evil']);
});
