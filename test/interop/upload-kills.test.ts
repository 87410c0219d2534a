/**
 * `xfer serve --upload` that is killed at random points of uploads: a name is right or absent, what was acknowledged is
 * there afterwards, and nothing is left beside the files. XFER_KILLS sets how many, XFER_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patternBytes } from '../support/fixtures.js';
import { Dice, pickSeed } from '../support/random.js';
import { type Started, startXfer } from '../support/run-xfer.js';

const KILLS = Number(process.env.XFER_KILLS ?? (process.env.CI ? 60 : 12));
const SIZE = 24 << 20;
const BYTES = patternBytes(SIZE);
const TUS = { 'Tus-Resumable': '1.0.0' };

interface Box {
  readonly root: string;
  readonly env: Record<string, string>;
}

async function start(t: TestContext, { root, env }: Box): Promise<{ started: Started; url: string }> {
  const started = startXfer(['serve', '--upload', '--log', 'off', '--bind', '127.0.0.1', root, '0'], { env });
  t.after(() => started.stop('SIGKILL'));
  const [, url] = await started.waitForLine(/^serving on (http:\/\/127\.0\.0\.1:\d+)\//m);
  return { started, url: url as string };
}

/** Whatever comes of it; the listener may be gone at any time. */
async function put(url: string, name: string): Promise<void> {
  await fetch(`${url}/${name}`, { method: 'PUT', body: BYTES as unknown as BodyInit }).catch(() => undefined);
}

async function form(url: string, name: string): Promise<void> {
  const body = new FormData();
  body.append('f', new Blob([BYTES as unknown as BlobPart]), name);
  await fetch(`${url}/`, { method: 'POST', body }).catch(() => undefined);
}

async function create(url: string, name: string): Promise<string | undefined> {
  const metadata = `filename ${Buffer.from(name).toString('base64')}`;
  const headers = { ...TUS, 'Upload-Length': String(SIZE), 'Upload-Metadata': metadata };
  const answer = await fetch(`${url}/`, { method: 'POST', headers }).catch(() => undefined);
  const location = answer?.headers.get('location');
  return location ? new URL(location, `${url}/`).pathname : undefined;
}

/** Sends all from `offset` on in parts, and tells each offset that was acknowledged. Says whether it came to its end. */
async function send(url: string, offset: number, onOffset: (bytes: number) => void): Promise<boolean> {
  for (let at = offset; at < SIZE; ) {
    const headers = { ...TUS, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(at) };
    const body = BYTES.subarray(at, at + (2 << 20)) as unknown as BodyInit;
    const answer = await fetch(url, { method: 'PATCH', headers, body }).catch(() => undefined);
    if (answer?.status !== 204) return false;
    at = Number(answer.headers.get('upload-offset'));
    onOffset(at);
  }
  return true;
}

test('a listener that is killed leaves names right or absent, and goes on where it was', {
  timeout: 300_000,
}, async (t) => {
  const seed = pickSeed();
  const dice = new Dice(seed);
  t.diagnostic(`seed ${seed}`);
  const above = mkdtempSync(join(tmpdir(), 'xfer-upload-kills-'));
  t.after(() => rmSync(above, { recursive: true, force: true }));
  const box = { root: join(above, 'root'), env: { XDG_STATE_HOME: join(above, 'state') } };
  mkdirSync(box.root);
  const places = new Map<string, { readonly path: string; acknowledged: number }>();
  let cut = 0;
  for (let round = 0; round < KILLS; round += 1) {
    const { started, url } = await start(t, box);
    const names = ['put', 'form', 'tus'].map((way) => `${way}-${round}`);
    const resumed = [...places].map(async ([name, place]) => {
      const head = await fetch(`${url}${place.path}`, { method: 'HEAD', headers: TUS }).catch(() => undefined);
      if (!head) return;
      const offset = Number(head.headers.get('upload-offset'));
      assert.ok(head.ok && offset >= place.acknowledged, `seed ${seed}: ${name}, ${offset} of ${place.acknowledged}`);
      if (
        await send(`${url}${place.path}`, offset, (bytes) => {
          place.acknowledged = bytes;
        })
      )
        places.delete(name);
    });
    const fresh = [
      put(url, names[0] as string),
      form(url, names[1] as string),
      create(url, names[2] as string).then(async (path) => {
        if (path === undefined) return;
        const place = { path, acknowledged: 0 };
        places.set(names[2] as string, place);
        if (
          await send(`${url}${path}`, 0, (bytes) => {
            place.acknowledged = bytes;
          })
        )
          places.delete(names[2] as string);
      }),
    ];
    await Promise.race([sleep(dice.below(400)), Promise.all([...fresh, ...resumed])]);
    await started.stop('SIGKILL');
    await Promise.all([...fresh, ...resumed]);
    for (const name of readdirSync(box.root)) {
      if (name.endsWith('.xfer-part')) cut += 1;
      else assert.ok(readFileSync(join(box.root, name)).equals(BYTES), `seed ${seed}: ${name}`);
    }
  }
  assert.ok(cut > 0, 'some were killed in the middle');
  const { url } = await start(t, box);
  // What can go on is there, and nothing else.
  const parts = readdirSync(box.root).filter((name) => name.endsWith('.xfer-part'));
  assert.ok(parts.length <= places.size, `seed ${seed}: ${parts}`);
  for (const [name, { path, acknowledged }] of places) {
    const head = await fetch(`${url}${path}`, { method: 'HEAD', headers: TUS });
    const offset = Number(head.headers.get('upload-offset'));
    assert.ok(head.ok && offset >= acknowledged && offset <= SIZE, `seed ${seed}: ${name}`);
    const [part] = parts.filter((each) => each.startsWith(`.${name}.`));
    // What lacked nothing but its name has it by the question.
    if (offset === SIZE) assert.ok(existsSync(join(box.root, name)), `seed ${seed}: ${name} has its name`);
    else if (part !== undefined) assert.equal(offset, statSync(join(box.root, part)).size);
    assert.ok(await send(`${url}${path}`, offset, () => undefined));
    assert.ok(existsSync(join(box.root, name)));
  }
  for (const name of readdirSync(box.root)) {
    assert.ok(readFileSync(join(box.root, name)).equals(BYTES), `seed ${seed}: ${name}`);
  }
});
