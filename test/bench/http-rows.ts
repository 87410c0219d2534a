/** One big file over HTTP: xfer as the server, and as the client. */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Started, startProgram, startXfer, XFER } from '../support/run-xfer.js';
import { differences } from '../support/trees.js';
import type { Ground } from './ground.js';
import type { Area, Contestant, Row } from './measure.js';

interface Server {
  readonly running: Started;
  readonly url: string;
}

async function serve(running: Started): Promise<Server> {
  const [, port] = await running.waitForLine(/https?:\/\/\S+?:(\d+)/);
  return { running, url: `http://127.0.0.1:${port}/big` };
}

/** Starts the servers that are there; `stop` ends them. */
export async function startHttpRows(ground: Ground): Promise<Area> {
  const { title, path, bytes } = ground.big;
  const folder = dirname(path);
  const out = join(ground.folder, 'http-out');
  const curl = ground.peer('curl');
  const python = ground.peer('python3');
  const own = await serve(startXfer(['serve', '-q', '--bind', '127.0.0.1', folder, '0']));
  const pythonArgs = ['-u', '-m', 'http.server', '0', '--bind', '127.0.0.1', '--directory', folder];
  const theirs = python === undefined ? undefined : await serve(startProgram(python, pythonArgs));

  const contestant = (label: string, program: string, args: readonly string[]): Contestant => ({
    label,
    prepare: () => rmSync(out, { force: true }),
    run: (meter) => meter.run(program, args),
    check: () => ground.mustBeSame(label, differences(path, out)),
  });
  const curlFrom = (label: string, url: string) =>
    contestant(label, curl ?? '', ['-sS', '-f', '--noproxy', '*', '-o', out, url]);

  const servers = curl ? [curlFrom('xfer serve, curl', own.url)] : [];
  if (curl && theirs) servers.push(curlFrom('python3 http.server, curl', theirs.url));
  const clients = [contestant('xfer get', process.execPath, [XFER, 'get', '-q', own.url, '-o', out])];
  if (curl) clients.push(curlFrom('curl', own.url));
  const row = (words: string, contestants: readonly Contestant[]): Row => {
    return {
      title: `http: ${words} (both ends counted)`,
      bytes,
      files: 1,
      line: undefined,
      note: undefined,
      contestants,
    };
  };
  return {
    rows: [row(`serving ${title}`, servers), row(`getting ${title} from xfer serve`, clients)].filter(
      (row) => row.contestants.length > 0,
    ),
    serversOf: (label) => [((label.startsWith('python3') && theirs) || own).running.child.pid as number],
    async stop() {
      await own.running.stop();
      await theirs?.running.stop();
    },
  };
}
