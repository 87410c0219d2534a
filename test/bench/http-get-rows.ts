/** `xfer get` beside curl and wget: a large file and many small ones, from `xfer serve`. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startXfer, XFER } from '../support/run-xfer.js';
import { differences } from '../support/trees.js';
import { type LineOptions, lineWords, startDelayLine } from './delay-line.js';
import type { Ground, Load } from './ground.js';
import type { Area, Contestant, Row } from './measure.js';
import { mostFilesInTurn } from './time-limit.js';

interface Server {
  /** What the clients ask; ends in a slash. */
  readonly url: string;
  stop(): Promise<void>;
}

/** `xfer serve` of a folder, at the far end of a line where one is given. */
async function startServer(folder: string, line: LineOptions | undefined): Promise<Server> {
  const running = startXfer(['serve', '-q', '--bind', '127.0.0.1', folder, '0']);
  const [url, port] = await running.waitForLine(/http:\/\/\S+?:(\d+)\//);
  const far = line && (await startDelayLine(Number(port), line));
  return {
    url: far ? `http://127.0.0.1:${far.port}/` : url,
    async stop() {
      await far?.close();
      await running.stop();
    },
  };
}

type Client = readonly [label: string, program: string | undefined, args: readonly string[]];

function row(ground: Ground, load: Load, line: LineOptions | undefined, out: string, clients: readonly Client[]): Row {
  const contestants = clients.flatMap(([label, program, args]): Contestant[] => {
    if (program === undefined) return [];
    return [
      {
        label,
        prepare: () => rmSync(out, { recursive: true, force: true }),
        run: (meter) => meter.run(program, args),
        check: () => ground.mustBeSame(label, differences(load.path, out)),
      },
    ];
  });
  const where = line ? `, ${lineWords(line)}` : '';
  const title = `http: getting ${load.title} from xfer serve${where}`;
  return { title, bytes: load.bytes, files: load.files, line, note: undefined, contestants };
}

function largeRow(ground: Ground, url: string, line: LineOptions | undefined): Row {
  const out = join(ground.folder, 'http-out');
  const own = (...options: string[]) => [XFER, 'get', '-q', ...options, `${url}big`, '-o', out];
  return row(ground, ground.big, line, out, [
    ['xfer get', process.execPath, own()],
    ['xfer get --verify', process.execPath, own('--verify')],
    ['curl', ground.peer('curl'), ['-sS', '-f', '--noproxy', '*', '-o', out, `${url}big`]],
  ]);
}

/** wget asks for one file after the other: on a line it takes part where there are few. */
function treeRow(ground: Ground, url: string, line: LineOptions | undefined): Row {
  const out = join(ground.folder, 'http-tree-out');
  const most = mostFilesInTurn(line);
  const isMany = ground.tree.files > most;
  const made = row(ground, ground.tree, line, out, [
    ['xfer get -r', process.execPath, [XFER, 'get', '-q', '-r', url, '-o', out]],
    [
      'wget -r',
      isMany ? undefined : ground.peer('wget'),
      ['-q', '-r', '-np', '-nH', '--no-proxy', '-R', 'index.html*', '-P', out, url],
    ],
  ]);
  return isMany ? { ...made, note: `wget is left out above ${most} files: it asks for one after the other.` } : made;
}

/** Starts a server for each row; `stop` ends them. */
export async function startGetRows(ground: Ground, line: LineOptions | undefined): Promise<Area> {
  const large = await startServer(join(ground.big.path, '..'), line);
  const small = await startServer(ground.tree.path, line);
  return {
    rows: [largeRow(ground, large.url, line), treeRow(ground, small.url, line)],
    stop: async () => {
      await Promise.all([large.stop(), small.stop()]);
    },
  };
}
