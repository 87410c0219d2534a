/** A share with scripts, served until the test ends. */
import { chmod } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { CgiOptions } from '#xfer/transports/http/listen/cgi/options.js';
import type { HttpListenOptions } from '#xfer/transports/http/listen/index.js';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { type Served, serve, temporaryFolder } from '../rig.js';
import { makeFiles } from '../site/site-rig.js';

export const HEAD = "printf 'Content-Type: text/plain\\n\\n'";

export interface ServedScripts extends Served {
  readonly root: string;
  /** Lines that a person was told. */
  readonly notices: string[];
}

/** `scripts` by path: bodies of sh where they do not start with `#!`. Other `files` are plain ones. */
export async function serveScripts(
  t: TestContext,
  scripts: Readonly<Record<string, string>>,
  cgi: CgiOptions = {},
  { files = {}, options = {} }: { files?: Record<string, string>; options?: Partial<HttpListenOptions> } = {},
): Promise<ServedScripts> {
  const root = await temporaryFolder(t);
  await makeFiles(root, files);
  for (const [path, body] of Object.entries(scripts)) {
    await makeFiles(root, { [path]: body.startsWith('#!') ? body : `#!/bin/sh\n${body}\n` });
    await chmod(join(root, path), 0o755);
  }
  const notices: string[] = [];
  const share = await openLocalSource(root);
  const onNotice = (line: string): void => void notices.push(line);
  const served = await serve(t, root, { allowHosts: ['*'], ...options, share, cgi, onNotice });
  return { ...served, root, notices };
}

export interface Told {
  readonly status: number;
  readonly fields: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

/** A POST of `body`. */
export function post(port: number, path: string, body: Buffer, fields: Record<string, string> = {}): Promise<Told> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': String(body.length), ...fields };
    const asked = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode as number, fields: response.headers, body: Buffer.concat(chunks) });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
