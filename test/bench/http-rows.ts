/** Files over HTTP: xfer as the server beside other servers. */
import type { Ground } from './ground.js';
import { serveRows } from './http-serve-rows.js';
import { type FileServer, makeServedFolder, startServers, stopServers } from './http-servers.js';
import type { Area } from './measure.js';

/** Starts the servers that are there; `stop` ends them. */
export async function startHttpRows(ground: Ground): Promise<Area> {
  const servers = await startServers(ground, makeServedFolder(ground));
  const [own] = servers as [FileServer];
  return {
    rows: serveRows(ground, servers),
    serversOf(label) {
      const { running } = servers.find((server) => server.label === label) ?? own;
      return [running.child.pid as number];
    },
    stop: () => stopServers(servers),
  };
}
