/** A folder of this machine that takes uploads, as `xfer serve --upload` shares it. */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Listener } from '#xfer/transport.js';
import { type HttpListenOptions, listen } from '#xfer/transports/http/listen/index.js';
import type { UploadOptions } from '#xfer/transports/http/listen/upload/options.js';
import { openLocalSink } from '#xfer/transports/local/sink.js';
import { openLocalSource } from '#xfer/transports/local/source.js';

export interface Box {
  /** The folder, in a directory of its own. */
  readonly root: string;
  /** What else is in that directory is outside. */
  readonly above: string;
  readonly records: string;
  readonly port: number;
  readonly url: string;
  readonly listener: Listener;
  /** Ends the listener, and starts one on the same folder and records. */
  again(options?: UploadOptions): Promise<Box>;
}

/** Until the test ends. */
export async function openBox(
  t: TestContext,
  upload: UploadOptions = {},
  options: Partial<HttpListenOptions> = {},
): Promise<Box> {
  const above = await mkdtemp(join(tmpdir(), 'xfer-upload-'));
  t.after(() => rm(above, { recursive: true, force: true }));
  await mkdir(join(above, 'root'));
  return start(t, above, upload, options);
}

async function start(
  t: TestContext,
  above: string,
  upload: UploadOptions,
  options: Partial<HttpListenOptions>,
): Promise<Box> {
  const [root, records] = [join(above, 'root'), join(above, 'records')];
  const [share, receive] = [await openLocalSource(root), await openLocalSink(root, { guarded: true })];
  const usual = { hosts: ['127.0.0.1'], port: 0, allowHosts: ['test'], share, receive };
  const scope = { signal: new AbortController().signal };
  const listener = await listen({ ...usual, upload: { recordsDirectory: records, ...upload }, ...options }, scope);
  t.after(() => listener.close());
  const { port } = listener.address;
  const again = async (changed: UploadOptions = {}): Promise<Box> => {
    await listener.close();
    return start(t, above, { ...upload, ...changed }, options);
  };
  return { root, above, records, port, url: `http://127.0.0.1:${port}`, listener, again };
}

/** All names in the folder, also those that are hidden. */
export async function namesIn(root: string): Promise<string[]> {
  return (await readdir(root, { recursive: true })).toSorted();
}

/** The second line of a refusal: the reason. */
export async function reasonOf(response: Response): Promise<string> {
  return (await response.text()).split('\n')[1] ?? '';
}

/** Sends one request, and resolves with the status and the reason. */
export async function ask(url: string, init: RequestInit = {}): Promise<[number, string]> {
  const response = await fetch(url, init);
  return [response.status, await reasonOf(response)];
}

export function put(url: string, body: string | Uint8Array, headers: Record<string, string> = {}) {
  return fetch(url, { method: 'PUT', body: body as BodyInit, headers });
}
