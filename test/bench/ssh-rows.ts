/** Files and logins over SSH, to and from an sshd on loopback. */
import type { LineOptions } from './delay-line.js';
import type { Ground } from './ground.js';
import type { Area, Row } from './measure.js';
import type { AreaName } from './options.js';
import { copyRows } from './ssh-copies.js';
import { loginRow } from './ssh-login.js';
import { type SshServer, startSshServer } from './ssh-server.js';

function rowsOf(area: AreaName, ground: Ground, server: SshServer): Row[] {
  switch (area) {
    case 'ssh-big':
      return copyRows(ground, server, ground.big, { rsync: true });
    case 'ssh-small':
      return copyRows(ground, server, ground.tree, { rsync: true });
    case 'ssh-sparse':
      return copyRows(ground, server, ground.sparse, { rsync: false });
    case 'ssh-login':
      return [loginRow(ground, server)];
    default:
      return [];
  }
}

/** Starts an sshd, and with `line` a long line to it; no rows where there is no sshd. */
export async function startSshRows(
  ground: Ground,
  areas: readonly AreaName[],
  line: LineOptions | undefined,
): Promise<Area> {
  if (ground.peer('sshd') === undefined) return { rows: [], stop: async () => {} };
  const server = await startSshServer(ground, line);
  return { rows: areas.flatMap((area) => rowsOf(area, ground, server)), stop: () => server.stop() };
}
