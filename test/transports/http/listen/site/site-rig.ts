/** A site with its rules and files, served until the test ends, and what one request gets from it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { HttpListenOptions } from '#xfer/transports/http/listen/index.js';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { type Served, serve, temporaryFolder } from '../rig.js';

export interface Answer {
  readonly status: number;
  readonly fields: Record<string, string | string[] | undefined>;
  readonly location: string | undefined;
  readonly body: string;
}

export interface ServedSite extends Served {
  readonly root: string;
  get(target: string, fields?: Record<string, string>, method?: string): Promise<Answer>;
}

/** A folder with `files`: each one's text, or its own path where the value is `''`. */
export async function makeFiles(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const place = join(root, path);
    await mkdir(path.endsWith('/') ? place : dirname(place), { recursive: true });
    if (!path.endsWith('/')) await writeFile(place, text === '' ? path : text);
  }
}

export async function serveSite(
  t: TestContext,
  rules: object | undefined,
  files: Readonly<Record<string, string>>,
  options: Partial<HttpListenOptions> = {},
): Promise<ServedSite> {
  const root = await temporaryFolder(t);
  await makeFiles(root, files);
  if (rules) await writeFile(join(root, 'serve.json'), JSON.stringify(rules));
  const share = options.share ?? (await openLocalSource(root));
  const served = await serve(t, root, { ...(rules ? {} : { site: true }), ...options, share });
  return { ...served, root, get: (target, fields, method) => ask(served.port, target, fields, method) };
}

/** One request with a target exactly as it is written. */
export function ask(
  port: number,
  target: string,
  fields: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path: target, method, headers: fields, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve({
            status: response.statusCode as number,
            fields: response.headers,
            location: response.headers.location,
            body: Buffer.concat(chunks).toString(),
          });
        });
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}
