/** A large file and many small ones that xfer put and others put to `xfer serve --upload`, and to nginx. */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { freePort } from '../support/free-port.js';
import { processTree } from '../support/processes.js';
import { runProgram, type Started, startProgram, startXfer, XFER } from '../support/run-xfer.js';
import { differences } from '../support/trees.js';
import { type LineOptions, lineWords, startDelayLine } from './delay-line.js';
import type { Ground, Load } from './ground.js';
import { nginxConfiguration, untilAccepts } from './http-servers.js';
import type { Area, Contestant, Row } from './measure.js';
import { mostFilesForScp } from './time-limit.js';

interface Inbox {
  /** As in `nginx`; that of xfer begins with `xfer`. */
  readonly label: string;
  readonly running: Started;
  readonly url: string;
  readonly folder: string;
}

/** xfer, and nginx where it is there and has WebDAV; the first at the far end of a line where one is given. */
async function startInboxes(ground: Ground): Promise<Inbox[]> {
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

type Client = readonly [label: string, program: string | undefined, args: readonly string[], inbox: Inbox | undefined];

/** Each puts `load` into an inbox, under a name. */
function row(ground: Ground, load: Load, line: LineOptions | undefined, name: string, clients: readonly Client[]): Row {
  const contestants = clients.flatMap(([label, program, args, inbox]): Contestant[] => {
    if (program === undefined || !inbox) return [];
    const target = join(inbox.folder, name);
    const check = () => ground.mustBeSame(label, differences(load.path, target));
    const prepare = () => rmSync(target, { recursive: true, force: true });
    return [{ label, prepare, run: (meter) => meter.run(program, args), check }];
  });
  const title = `http: putting ${load.title}${line ? `, ${lineWords(line)}` : ''}`;
  return { title, bytes: load.bytes, files: load.files, line, note: undefined, contestants };
}

function largeRow(ground: Ground, own: Inbox, nginx: Inbox | undefined): Row {
  const { path } = ground.big;
  const curl = (inbox: Inbox | undefined) =>
    ['-sS', '-f', '--noproxy', '*', '-o', '/dev/null', '-T', path, `${inbox?.url}big`] as const;
  return row(ground, ground.big, undefined, 'big', [
    [PUT, process.execPath, [XFER, 'put', '-q', path, `${own.url}big`], own],
    ['curl -T to xfer serve', ground.peer('curl'), curl(own), own],
    ['curl -T to nginx, WebDAV', ground.peer('curl'), curl(nginx), nginx],
  ]);
}

/** curl reuses one connection, and waits for each answer: on a line it takes part where there are few files. */
function treeRow(ground: Ground, own: Inbox, url: string, line: LineOptions | undefined): Row {
  const { path, files } = ground.tree;
  const isMany = files > mostFilesForScp(line);
  const name = basename(path);
  const names = (readdirSync(path, { recursive: true }) as string[]).sort();
  const isFile = (below: string) => statSync(join(path, below)).isFile();
  const script = join(ground.folder, 'curl-put');
  const lines = names
    .filter(isFile)
    .map((below) => `upload-file = "${join(path, below)}"\nurl = "${url}${name}/${below}"\n`);
  writeFileSync(script, `silent\nshow-error\nfail\nnoproxy = "*"\nftp-create-dirs\n${lines.join('')}`);
  const folders = names.filter((below) => !isFile(below)).map((below) => join(own.folder, name, below));
  const made = row(ground, ground.tree, line, name, [
    [PUT, process.execPath, [XFER, 'put', '-q', path, url], own],
    ['curl -T', isMany ? undefined : ground.peer('curl'), ['-K', script, '-o', '/dev/null'], own],
  ]);
  const [put, curl] = made.contestants;
  const withFolders = curl && {
    ...curl,
    prepare: () => {
      rmSync(join(own.folder, name), { recursive: true, force: true });
      for (const folder of [join(own.folder, name), ...folders]) mkdirSync(folder, { recursive: true });
    },
  };
  const contestants = [put, withFolders].filter((one) => one !== undefined);
  const note = isMany ? `curl is left out above ${files} files: it waits for one after the other.` : undefined;
  return { ...made, contestants, note };
}

const PUT = 'xfer put to xfer serve';

/** Starts the servers; `stop` ends them. */
export async function startPutRows(ground: Ground, line: LineOptions | undefined): Promise<Area> {
  const inboxes = await startInboxes(ground);
  const [own, nginx] = inboxes as [Inbox, Inbox | undefined];
  const far = line && (await startDelayLine(Number(new URL(own.url).port), line));
  const url = far ? `http://127.0.0.1:${far.port}/` : own.url;
  return {
    rows: [largeRow(ground, own, nginx), treeRow(ground, own, url, line)],
    // The processes of nginx that do the work are below the one that was started.
    serversOf: (label) => processTree(((label.includes('nginx') && nginx) || own).running.child.pid as number),
    async stop() {
      await far?.close();
      for (const { running } of inboxes) await running.stop();
    },
  };
}
