/** A served file whose validators are known. */
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Served, serve, temporaryFolder } from '../rig.js';

export const BODY = '0123456789abcdefghijklmnopqrstuvwxyz';
const OLD = new Date('2024-05-06T07:08:09.500Z');
/** Last-Modified of `f.txt`. */
export const EXACT = 'Mon, 06 May 2024 07:08:09 GMT';

/** Serves `f.txt`, which has a strong tag, `empty` and the folder `sub`. */
export async function serveBody(t: TestContext): Promise<Served & { etag: string }> {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'f.txt'), BODY);
  await utimes(join(folder, 'f.txt'), OLD, OLD);
  await writeFile(join(folder, 'empty'), '');
  await mkdir(join(folder, 'sub'));
  const served = await serve(t, folder);
  const { headers } = await fetch(`${served.url}/f.txt`, { method: 'HEAD' });
  return { ...served, etag: headers.get('etag') ?? '' };
}
