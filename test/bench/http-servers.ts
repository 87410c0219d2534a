/** The file servers that share one folder, each on a port of its own. */
import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/free-port.js';
import { type Started, startProgram, startXfer } from '../support/run-xfer.js';
import type { Ground } from './ground.js';

export interface FileServer {
  /** As in `nginx`; that of xfer begins with `xfer`. */
  readonly label: string;
  readonly running: Started;
  /** Ends in a slash. */
  readonly url: string;
}

/** The package of that name, which is there with the others that the tests need. */
const NODE_SERVE = fileURLToPath(import.meta.resolve('../../node_modules/.bin/serve'));

const READY_TIMEOUT_MS = 10_000;
const SMALL_BYTES = 4096;

/** Entries of the folders that are listed, by their names. */
export const FOLDERS = { 'five-thousand': 5000, 'hundred-thousand': 100_000 } as const;

/** A folder with `big`, `small`, the folders that are listed and one that is fetched as an archive. */
export function makeServedFolder(ground: Ground): string {
  const folder = join(ground.folder, 'served');
  mkdirSync(join(folder, 'album'), { recursive: true });
  linkSync(ground.big.path, join(folder, 'big'));
  linkSync(ground.big.path, join(folder, 'album', 'big'));
  writeFileSync(join(folder, 'small'), Buffer.alloc(SMALL_BYTES, 'x'));
  for (const [name, count] of Object.entries(FOLDERS)) {
    mkdirSync(join(folder, name));
    for (let n = 0; n < count; n += 1) writeFileSync(join(folder, name, `file-${n}.txt`), '');
  }
  return folder;
}

/** Starts xfer and those of the others that are there; `stopServers` ends them. */
export async function startServers(ground: Ground, folder: string): Promise<FileServer[]> {
  const own = startXfer(['serve', '-q', '--bind', '127.0.0.1', folder, '0']);
  const [url] = await own.waitForLine(/http:\/\/\S+?:\d+\//);
  const servers: FileServer[] = [{ label: 'xfer serve', running: own, url }];
  const others: [label: string, program: string, args: (port: number) => string[]][] = [
    ['python3 http.server', 'python3', (port) => ['-m', 'http.server', `${port}`, '-b', '127.0.0.1', '-d', folder]],
    ['caddy', 'caddy', (port) => ['file-server', '--browse', '--root', folder, '--listen', `127.0.0.1:${port}`]],
    ['nginx', 'nginx', (port) => ['-c', nginxConfiguration(ground, folder, port)]],
    ['serve', NODE_SERVE, (port) => ['-n', '-L', '-l', `tcp://127.0.0.1:${port}`, folder]],
  ];
  for (const [label, name, args] of others) {
    const program = name === NODE_SERVE ? name : ground.peer(name);
    if (program === undefined) continue;
    const port = await freePort();
    const running = startProgram(program, args(port));
    servers.push({ label, running, url: `http://127.0.0.1:${port}/` });
    await untilAnswers(port, running);
  }
  return servers;
}

export async function stopServers(servers: readonly FileServer[]): Promise<void> {
  for (const { running } of servers) await running.stop();
}

/** `more` goes into the server, `name` into the names of its files. sendfile and a worker for each of two processors, with all that it writes in the bench's own folder. */
export function nginxConfiguration(ground: Ground, folder: string, port: number, more = '', name = ''): string {
  const place = (file: string) => join(ground.folder, `nginx-${name}${file}`);
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const temporary = kinds.map((kind) => `${kind}_temp_path ${place(kind)};`).join(' ');
  writeFileSync(
    place('conf'),
    `${process.getuid?.() === 0 ? 'user root;' : ''} worker_processes 2; daemon off; pid ${place('pid')}; error_log ${place('errors')};
events { worker_connections 4096; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; ${temporary}
  server { listen 127.0.0.1:${port}; root ${folder}; autoindex on; ${more} } }
`,
  );
  return place('conf');
}

async function untilAnswers(port: number, running: Started): Promise<void> {
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/small`).then(
      async (answer) => (await answer.arrayBuffer()).byteLength === SMALL_BYTES,
      () => false,
    );
  await untilHolds(answers, port, running);
}

/** Whatever it answers. */
export function untilAccepts(port: number, running: Started): Promise<void> {
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
  return untilHolds(answers, port, running);
}

async function untilHolds(holds: () => Promise<boolean>, port: number, running: Started): Promise<void> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`no answer on port ${port}:\n${running.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
