/** scp's `-R`: the first host copies to the second by a scp of its own, and no byte comes here. */
import { onAbort } from '../../concurrency/on-abort.js';
import { XferError } from '../../errors.js';
import { describeLocation, type Location } from '../../location.js';
import { tellLines } from '../../streams/text-lines.js';
import type { Scope } from '../../transport.js';
import type { RemoteCommand } from './carriers/carrier.js';
import { openCarrier } from './carriers/open-carrier.js';
import { shellPath, shellWord } from './shell-words.js';
import type { SshOptions } from './ssh-options.js';

/** What the far scp is told. */
export interface DirectCopy {
  readonly from: Location;
  readonly to: Location;
  readonly recursive: boolean;
  readonly preserve: boolean;
  /** The target must be a directory. */
  readonly intoDirectory: boolean;
}

/** The command line for the first host's shell (toremote() in scp.c), with all but patterns quoted. */
export function directCommand(copy: DirectCopy, verbose: boolean): string {
  const { from, to, recursive, preserve, intoDirectory } = copy;
  if (to.port !== undefined && to.port !== 22) {
    throw new XferError('UNSUPPORTED', `copy to ${describeLocation(to)}: with -R the target takes no port`, {
      hint: 'leave -R out, or name the port in the ssh_config of the first host',
    });
  }
  for (const { user } of [from, to]) checkUser(user);
  const host = to.host?.includes(':') ? `[${to.host}]` : (to.host ?? '');
  const target = `${to.user === undefined ? '' : `${to.user}@`}${host}:${to.path}`;
  const flags = { '-v': verbose, '-r': recursive, '-p': preserve, '-d': intoDirectory };
  const given = Object.entries(flags).flatMap(([flag, wanted]) => (wanted ? [flag] : []));
  return ['scp', ...given, shellPath(from.path), shellWord(target)].join(' ');
}

/** Characters that scp refuses in the name of a user whom a far shell will see (okname() in scp.c). USAGE. */
function checkUser(user = ''): void {
  if (/[^\0-\x7f]|['"` #]/.test(user)) throw new XferError('USAGE', `user ${user}: not a user name that -R can take`);
}

/**
 * Resolves when the far scp has ended well; what it says becomes notices. UNSUPPORTED where no command can be started
 * there, or there is no scp; UNREACHABLE where the first host does not get into the second; PARTIAL for the rest.
 */
export async function copyDirect(copy: DirectCopy, options: SshOptions, scope: Scope): Promise<void> {
  const command = directCommand(copy, options.verbose === true);
  const carrier = await openCarrier(copy.from, options, scope, 'source');
  try {
    if (!carrier.execute) throw new XferError('UNSUPPORTED', 'option -R: no command can be started with -D');
    await finish(await carrier.execute(command, scope), copy, options, scope);
  } finally {
    await carrier.close();
  }
}

async function finish(command: RemoteCommand, copy: DirectCopy, options: SshOptions, scope: Scope): Promise<void> {
  const { stream, stderr, exitCode } = command;
  const tell = options.onNotice ?? (() => undefined);
  const free = onAbort(scope.signal, () => stream.destroy());
  stream.on('error', () => undefined);
  tellLines(stream, tell);
  tellLines(stderr, tell);
  stream.end();
  try {
    const code = await exitCode;
    if (scope.signal.aborted) throw scope.signal.reason;
    if (code !== 0) throw failure(code, copy);
  } finally {
    free();
  }
}

function failure(code: number | null, { from, to }: DirectCopy): XferError {
  const what = `copy ${describeLocation(from)} to ${describeLocation(to)}`;
  const hint = 'without -R the bytes come through here, and only this machine has to log in';
  if (code === null) return new XferError('DISCONNECTED', `${what}: the scp on ${from.host} was cut off`);
  if (code === 127) return new XferError('UNSUPPORTED', `${what}: ${from.host} has no scp`, { hint });
  if (code !== 255) return new XferError('PARTIAL', `${what}: the scp on ${from.host} failed (exit ${code})`, { hint });
  return new XferError('UNREACHABLE', `${what}: ${from.host} cannot log in to ${to.host}, where it cannot be asked`, {
    hint: `let it in by a key, or by your agent with -A; ${hint}`,
  });
}
