/** Files over HTTP: xfer as the server beside other servers, and as the client beside curl. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { XFER } from '../support/run-xfer.js';
import { differences } from '../support/trees.js';
import type { Ground } from './ground.js';
import { serveRows } from './http-serve-rows.js';
import { type FileServer, makeServedFolder, startServers, stopServers } from './http-servers.js';
import { startInboxes, uploadRows } from './http-upload-rows.js';
import type { Area, Row } from './measure.js';
import type { AreaName } from './options.js';

/** Starts the servers that are there; `stop` ends them. */
export async function startHttpRows(ground: Ground, areas: readonly AreaName[]): Promise<Area> {
  const servers = await startServers(ground, makeServedFolder(ground));
  const [own] = servers as [FileServer];
  const inboxes = areas.includes('http-put') ? await startInboxes(ground) : [];
  return {
    rows: [
      ...(areas.includes('http-serve') ? serveRows(ground, servers) : []),
      ...uploadRows(ground, inboxes),
      ...(areas.includes('http-get') ? [gettingRow(ground, own)] : []),
    ],
    serversOf(label) {
      const { running } = [...servers, ...inboxes].find((server) => server.label === label) ?? own;
      return [running.child.pid as number];
    },
    stop: () => stopServers([...servers, ...inboxes]),
  };
}

function gettingRow(ground: Ground, { url }: FileServer): Row {
  const { title, path, bytes } = ground.big;
  const out = join(ground.folder, 'http-out');
  const curl = ground.peer('curl');
  const clients: [label: string, program: string, args: readonly string[]][] = [
    ['xfer get', process.execPath, [XFER, 'get', '-q', `${url}big`, '-o', out]],
  ];
  if (curl) clients.push(['curl', curl, ['-sS', '-f', '--noproxy', '*', '-o', out, `${url}big`]]);
  const contestants = clients.map(([label, program, args]) => ({
    label,
    prepare: () => rmSync(out, { force: true }),
    run: (meter: Parameters<Row['contestants'][0]['run']>[0]) => meter.run(program, args),
    check: () => ground.mustBeSame(label, differences(path, out)),
  }));
  const words = `http: getting ${title} from xfer serve (both ends counted)`;
  return { title: words, bytes, files: 1, line: undefined, note: undefined, contestants };
}
