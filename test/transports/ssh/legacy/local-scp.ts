/** A carrier whose far side is this machine's shell, so that its `scp` is the far one. */
import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import type { Location } from '#xfer/location.js';
import type { Carrier, RemoteCommand } from '#xfer/transports/ssh/carriers/carrier.js';

export interface LocalCarrier extends Carrier {
  readonly commands: string[];
  execute(command: string): Promise<RemoteCommand>;
}

/** `program`: what stands in for the command that is asked for. */
export function localCarrier(program?: (command: string) => string): LocalCarrier {
  const commands: string[] = [];
  const running = new Map<Duplex, Promise<unknown>>();
  return {
    account: 'sftp://here',
    loginPerSession: false,
    lost: undefined,
    commands,
    openSftp: () => Promise.reject(new Error('this host has no sftp')),
    async execute(command) {
      commands.push(command);
      const child = spawn('/bin/sh', ['-c', program ? program(command) : command], { stdio: 'pipe' });
      const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
      stream.on('error', () => undefined).on('close', () => child.kill());
      const exitCode = new Promise<number | null>((resolve) => child.on('close', resolve));
      running.set(stream, exitCode);
      return { stream, stderr: child.stderr, exitCode };
    },
    async close() {
      for (const stream of running.keys()) stream.destroy();
      await Promise.all(running.values());
    },
  };
}

export function farLocation(path: string): Location {
  return { scheme: 'sftp', host: 'here', path };
}
