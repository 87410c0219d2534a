/** A big file that curl puts to xfer serve --upload, and to the others that take one. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../support/free-port.js';
import { runProgram, type Started, startProgram, startXfer } from '../support/run-xfer.js';
import { differences } from '../support/trees.js';
import type { Ground } from './ground.js';
import { nginxConfiguration, untilAccepts } from './http-servers.js';
import type { Contestant, Row } from './measure.js';

export interface Inbox {
  /** As in `nginx`; that of xfer begins with `xfer`. */
  readonly label: string;
  readonly running: Started;
  readonly url: string;
  readonly folder: string;
}

/** Starts xfer, and nginx where it is there and has WebDAV. */
export async function startInboxes(ground: Ground): Promise<Inbox[]> {
  const folderOf = (name: string): string => {
    const folder = join(ground.folder, `inbox-${name}`);
    mkdirSync(folder);
    return folder;
  };
  const own = folderOf('xfer');
  const running = startXfer(['serve', '--upload', '-q', '--bind', '127.0.0.1', own, '0']);
  const [url] = await running.waitForLine(/http:\/\/\S+?:\d+\//);
  const inboxes: Inbox[] = [{ label: 'xfer serve --upload', running, url, folder: own }];
  const nginx = ground.peer('nginx');
  const built = nginx && (await runProgram(nginx, ['-V'])).stderr;
  if (!nginx || !built?.includes('http_dav_module')) return inboxes;
  const [port, folder] = [await freePort(), folderOf('nginx')];
  const configuration = nginxConfiguration(ground, folder, port, 'dav_methods PUT; client_max_body_size 0;', 'dav-');
  const other = startProgram(nginx, ['-c', configuration]);
  await untilAccepts(port, other);
  return [...inboxes, { label: 'nginx, WebDAV', running: other, url: `http://127.0.0.1:${port}/`, folder }];
}

/** None where curl is missing. */
export function uploadRows(ground: Ground, inboxes: readonly Inbox[]): Row[] {
  const curl = ground.peer('curl');
  if (!curl) return [];
  const { title, bytes, path } = ground.big;
  const contestants = inboxes.map(({ label, url, folder }): Contestant => {
    const target = join(folder, 'big');
    return {
      label,
      prepare: () => rmSync(target, { force: true }),
      run: (meter) => meter.run(curl, ['-sS', '-f', '--noproxy', '*', '-o', '/dev/null', '-T', path, `${url}big`]),
      check: () => ground.mustBeSame(label, differences(path, target)),
    };
  });
  return [{ title: `http: ${title} put by curl -T`, bytes, files: 1, line: undefined, note: undefined, contestants }];
}
