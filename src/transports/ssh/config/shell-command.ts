/** A command that a configuration gives to the person's shell. */
import { XferError } from '../../../errors.js';
import { startedBy } from '../../../started-by.js';

export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
}

/** The program and arguments that run a command in the person's shell, as OpenSSH starts one. */
export function shellArguments(command: string, { environment, platform }: Surroundings): [string, ...string[]] {
  if (platform !== 'win32') return [environment.SHELL || '/bin/sh', '-c', command];
  return [environment.ComSpec || 'cmd.exe', '/d', '/s', '/c', `"${command}"`];
}

const LONGEST_MS = 60_000;

/**
 * Starts a command without input or output and waits: whether it ended with 0. TIMED_OUT after a minute, USAGE where it
 * cannot be started or a signal ends it, the signal's reason.
 */
export async function shellSucceeds(
  command: string,
  what: string,
  surroundings: Surroundings,
  signal?: AbortSignal,
): Promise<boolean> {
  signal?.throwIfAborted();
  const { execa } = await import('execa');
  const [program, ...args] = shellArguments(command, surroundings);
  const options = {
    stdio: 'ignore',
    reject: false,
    timeout: LONGEST_MS,
    env: surroundings.environment,
    extendEnv: false,
    windowsVerbatimArguments: surroundings.platform === 'win32',
    ...(signal ? { cancelSignal: signal } : {}),
  } as const;
  const ended = await startedBy(program, () => execa(program, args, options));
  signal?.throwIfAborted();
  if (ended.timedOut)
    throw new XferError('TIMED_OUT', `${what}: the command did not end within ${LONGEST_MS / 1000} s`);
  if (ended.exitCode === undefined) {
    const reason = ended.signal === undefined ? `${program} cannot be started` : `it was ended by ${ended.signal}`;
    throw new XferError('USAGE', `${what}: ${reason}`, { cause: ended.cause });
  }
  return ended.exitCode === 0;
}
