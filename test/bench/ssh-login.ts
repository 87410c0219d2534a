/** From the start of a program to a session that takes requests, and to its end. */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Ground } from './ground.js';
import type { Contestant, Row } from './measure.js';
import type { SshServer } from './ssh-server.js';

const LOG_TIMEOUT_MS = 2000;

interface Login {
  readonly label: string;
  readonly program: string;
  readonly args: readonly string[];
  /** What sshd logs when it has begun the session. */
  readonly logged: string;
}

function logins(ground: Ground, server: SshServer): Login[] {
  const { host, configFile } = server;
  const script = join(import.meta.dirname, 'open-session.js');
  const sftp = "Starting session: subsystem 'sftp'";
  const args = [script, `sftp://${host}${ground.folder}`, configFile];
  const found = [{ label: 'xfer: openSource, close', program: process.execPath, args, logged: sftp }];
  const ssh = ground.peer('ssh');
  const logged = 'Starting session: command';
  if (ssh) found.push({ label: 'ssh host true', program: ssh, args: ['-F', configFile, host, 'true'], logged });
  const batch = ['-q', '-F', configFile, '-b', '/dev/null', host];
  const client = ground.peer('sftp');
  if (client) found.push({ label: 'sftp -b /dev/null host', program: client, args: batch, logged: sftp });
  return found;
}

export function loginRow(ground: Ground, server: SshServer): Row {
  const contestants = logins(ground, server).map(({ label, program, args, logged }): Contestant => {
    let before = 0;
    return {
      label,
      prepare() {
        before = server.log().length;
      },
      run: (meter) => meter.run(program, args),
      async check() {
        // The log comes by a pipe of its own, perhaps after the program has ended.
        const endMs = performance.now() + LOG_TIMEOUT_MS;
        while (!server.log().slice(before).includes(logged)) {
          if (performance.now() > endMs)
            throw new Error(`${label}: sshd saw no session:\n${server.log().slice(before)}`);
          await setTimeout(10);
        }
      },
    };
  });
  return { title: server.title('login'), bytes: 0, files: 0, line: server.line, note: undefined, contestants };
}
