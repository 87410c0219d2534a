/** `xfer serve --upload` and the programs that upload: curl in all its ways, and tus-js-client. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as tus from 'tus-js-client';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import { patternBytes } from '../support/fixtures.js';
import { needs } from '../support/peers.js';
import { runProgram, runXfer, type Started, startXfer } from '../support/run-xfer.js';

const TIME = { timeout: 60_000 };
const withCurl = { ...TIME, ...needs('curl') };

interface Served {
  readonly root: string;
  readonly own: string;
  readonly started: Started;
  readonly port: number;
  readonly url: string;
}

async function serveBox(t: TestContext, args: readonly string[] = []): Promise<Served> {
  const above = mkdtempSync(join(tmpdir(), 'xfer-upload-clients-'));
  t.after(() => rmSync(above, { recursive: true, force: true }));
  const [root, own] = [join(above, 'root'), join(above, 'own')];
  for (const folder of [root, own]) mkdirSync(folder);
  const started = startXfer(['serve', '--upload', ...args, '--bind', '127.0.0.1', root, '0']);
  t.after(() => started.stop('SIGKILL'));
  const [, port] = await started.waitForLine(/^serving on http:\/\/127\.0\.0\.1:(\d+)\//m);
  return { root, own, started, port: Number(port), url: `http://127.0.0.1:${port}` };
}

async function curl(args: readonly string[]): Promise<{ status: string; text: string; exitCode: number | null }> {
  const { stdout, exitCode } = await runProgram('curl', ['-sS', '-w', '\n%{http_code}', ...args]);
  const text = stdout.toString();
  const at = text.lastIndexOf('\n');
  return { status: text.slice(at + 1), text: text.slice(0, at), exitCode };
}

test('the lines to upload with upload, as xfer and curl read them', withCurl, async (t) => {
  const { root, own, started, url } = await serveBox(t);
  const [, ours] = await started.waitForLine(/^upload with: xfer put FILE (\S+)$/m);
  const [, typed] = await started.waitForLine(/^or: curl -T FILE (\S+)$/m);
  assert.deepEqual([ours, typed], [`${url}/`, `${url}/`]);
  writeFileSync(join(own, 'ours.txt'), 'ours');
  assert.equal((await runXfer(['put', join(own, 'ours.txt'), ours as string])).exitCode, 0);
  assert.equal(readFileSync(join(root, 'ours.txt'), 'utf8'), 'ours');
  writeFileSync(join(own, 'a b.txt'), 'hello');
  assert.equal((await curl(['-T', join(own, 'a b.txt'), typed as string])).status, '201');
  assert.equal(readFileSync(join(root, 'a b.txt'), 'utf8'), 'hello');
  const again = await curl(['-T', join(own, 'a b.txt'), typed as string]);
  assert.equal(again.status, '409');
  assert.match(again.text, /Something has that name already, and nothing is overwritten here\./);
  await started.waitForLine(/"PUT \/a%20b\.txt HTTP\/1\.1" 409 /);
  await started.waitForLine(/^whoever can reach this address may put files here; --auth-file, --token or --allow/m);
});

test(
  'curl: a large file, from a pipe, by a form, folders, and what is refused before it is sent',
  withCurl,
  async (t) => {
    const { root, own, url } = await serveBox(t, ['--manage', '--max-size', '20M', '--quota', '60M']);
    const bytes = patternBytes(10_000_000);
    const big = join(own, 'big.bin');
    writeFileSync(big, bytes);
    assert.equal((await curl(['-T', big, `${url}/`])).status, '201');
    const piped = await runProgram('curl', ['-sS', '-T', '-', `${url}/piped.bin`], { input: bytes });
    assert.equal(piped.exitCode, 0);
    assert.equal(
      (await curl(['-F', `f=@${big};filename=form 1.bin`, '-F', `f=@${big};filename=2".bin`, `${url}/`])).status,
      '201',
    );
    for (const name of ['big.bin', 'piped.bin', 'form 1.bin', '2".bin']) {
      assert.ok(readFileSync(join(root, name)).equals(bytes), name);
    }
    assert.equal((await curl(['-X', 'MKCOL', `${url}/sub`])).status, '201');
    assert.equal((await curl(['-T', big, `${url}/sub/`])).status, '201');
    assert.equal((await curl(['-X', 'DELETE', `${url}/sub`])).status, '204');
    assert.equal((await curl(['-X', 'MOVE', '-H', 'Destination: /moved.bin', `${url}/big.bin`])).status, '201');
    writeFileSync(big, Buffer.alloc(21 << 20));
    const large = await curl(['-T', big, `${url}/large`]);
    assert.deepEqual(
      [large.status, large.text.split('\n')[1]],
      ['413', 'A file may have 20971520 bytes here, and this one has more.'],
    );
    const missing = await curl(['-T', join(own, 'big.bin'), `${url}/no/such/`]);
    assert.equal(missing.status, '413');
    writeFileSync(big, bytes);
    assert.match(
      (await curl(['-T', big, `${url}/no/such/`])).text,
      /folder that it would lie in is not there; make it first/,
    );
    assert.deepEqual(readdirSync(root).toSorted(), ['2".bin', 'form 1.bin', 'moved.bin', 'piped.bin']);
  },
);

test('curl: a login that is refused, and one that is right', withCurl, async (t) => {
  const { root, own, url } = await serveBox(t, ['--auth', 'anna:right', '--auth-write']);
  writeFileSync(join(own, 'f'), patternBytes(3_000_000));
  assert.equal((await curl(['-T', join(own, 'f'), `${url}/`])).status, '401');
  assert.equal((await curl(['-u', 'anna:wrong', '-T', join(own, 'f'), `${url}/`])).status, '401');
  assert.equal((await curl(['-u', 'anna:right', '-T', join(own, 'f'), `${url}/`])).status, '201');
  assert.equal((await curl([`${url}/?json`])).status, '200');
  assert.deepEqual(readdirSync(root), ['f']);
});

interface TusRun {
  readonly upload: tus.Upload;
  readonly ended: Promise<void>;
  /** Offsets as the listener acknowledged them. */
  readonly accepted: number[];
}

/** Its types do not know that it speaks more than one. */
type TusOptions = Partial<tus.UploadOptions> & { readonly protocol?: string };

function tusUpload(endpoint: string, bytes: Buffer, options: TusOptions = {}): TusRun {
  const accepted: number[] = [];
  let upload: tus.Upload | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    upload = new tus.Upload(bytes, {
      endpoint,
      metadata: { filename: 'by tus.bin' },
      retryDelays: [0, 50, 100, 200, 400, 800],
      onChunkComplete: (_size, acceptedBytes) => accepted.push(acceptedBytes),
      onSuccess: () => resolve(),
      onError: reject,
      ...options,
    });
  });
  return { upload: upload as tus.Upload, ended, accepted };
}

for (const protocol of ['tus-v1', 'ietf-draft-03', 'ietf-draft-05'] as const) {
  test(`tus-js-client uploads by ${protocol}, whole and in parts`, TIME, async (t) => {
    const { root, url } = await serveBox(t);
    const bytes = patternBytes(5_000_000);
    for (const [name, more] of [
      ['whole', {}],
      ['parts', { chunkSize: 1_000_000 }],
      ['at once', { uploadDataDuringCreation: true, chunkSize: 2_000_000 }],
    ] as const) {
      const run = tusUpload(`${url}/`, bytes, { protocol, metadata: { filename: name }, ...more });
      run.upload.start();
      await run.ended;
      assert.ok(readFileSync(join(root, name)).equals(bytes), name);
      assert.equal(run.accepted.at(-1), bytes.length);
    }
    assert.deepEqual(readdirSync(root).toSorted(), ['at once', 'parts', 'whole']);
  });
}

test('tus-js-client goes on after lost lines, and agrees on offsets', TIME, async (t) => {
  const { root, port } = await serveBox(t);
  const to = { host: '127.0.0.1', port };
  const proxy = await startFaultyProxy({ to, way: 'up', resetAfterBytes: 2_000_000, times: 3 });
  t.after(() => proxy.stop());
  const bytes = patternBytes(8_000_000);
  const asked: string[] = [];
  const run = tusUpload(`http://127.0.0.1:${proxy.port}/`, bytes, {
    chunkSize: 1_500_000,
    onAfterResponse: (request, response) => {
      if (request.getMethod() === 'HEAD') asked.push(response.getHeader('Upload-Offset') ?? '');
    },
  });
  run.upload.start();
  await run.ended;
  assert.ok(readFileSync(join(root, 'by tus.bin')).equals(bytes));
  assert.ok(asked.length > 0, 'it had to ask');
  for (const offset of asked) assert.ok(Number(offset) > 0 && Number(offset) < bytes.length, offset);
  assert.deepEqual(readdirSync(root), ['by tus.bin']);
});
