/** The program of SSH_ASKPASS, which asks the person in a window (ssh(1), "ENVIRONMENT"). */
import { printable } from '../names.js';
import { startedBy } from '../started-by.js';
import type { Surroundings } from './surroundings.js';

export interface Askpass {
  readonly program: string;
  /** It is asked even where there is a terminal. */
  readonly beforeTerminal: boolean;
}

const MOST_ANSWER_BYTES = 4096;

/** Undefined where none is named, none is wanted, or it could show nothing; SSH_ASKPASS_REQUIRE is as in readpass.c. */
export function askpassOf(env: Surroundings['env']): Askpass | undefined {
  const required = env.SSH_ASKPASS_REQUIRE?.toLowerCase();
  const program = env.SSH_ASKPASS;
  if (!program || required === 'never') return undefined;
  if (required === 'force') return { program, beforeTerminal: true };
  return env.DISPLAY || env.WAYLAND_DISPLAY ? { program, beforeTerminal: required === 'prefer' } : undefined;
}

/**
 * The first line that the program writes; undefined where it fails, as where the person closes the window. That it could
 * not be started is said. An abort ends it and rejects with the signal's reason.
 */
export async function askByProgram(
  program: string,
  question: string,
  { env, stderr }: Pick<Surroundings, 'env' | 'stderr'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { execa } = await import('execa');
  const options = {
    stdin: 'ignore',
    stderr: 'inherit',
    reject: false,
    maxBuffer: MOST_ANSWER_BYTES,
    env,
    extendEnv: false,
    cancelSignal: signal,
  } as const;
  const ended = await startedBy(program, () => execa(program, [printable(question)], options));
  signal.throwIfAborted();
  if (ended.exitCode === undefined && ended.signal === undefined) {
    stderr.write(`xfer: SSH_ASKPASS ${printable(program)}: it cannot be started\n`);
  }
  return ended.failed ? undefined : ended.stdout.split(/[\r\n]/, 1)[0];
}
