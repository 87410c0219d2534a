import type { Duplex } from 'node:stream';
import { XferError } from '../../../errors.js';
import type { SshConfig } from '../config/config.js';
import { shellArguments } from '../config/shell-command.js';
import { SYSTEM_SSH_HINT } from './connection-error.js';
import { StartedProgram } from './started-program.js';
import { StreamPair } from './stream-pair.js';

export interface ProxyCommandRequest {
  readonly config: SshConfig;
  readonly command: string;
  readonly onNotice?: ((line: string) => void) | undefined;
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly platform?: NodeJS.Platform | undefined;
}

/**
 * The standard streams of a ProxyCommand, which the configuration wants run by the person's shell (ssh_config.5). Where
 * it ends, the stream fails with UNREACHABLE and its last words. UNSUPPORTED for `-`, which means our own streams.
 */
export function startProxyCommand(request: ProxyCommandRequest): { stream: Duplex; stop(): Promise<void> } {
  const { config, command, onNotice } = request;
  if (command === '-') {
    throw new XferError('UNSUPPORTED', `connect to ${config.host}: ProxyCommand - cannot be done here`, {
      hint: SYSTEM_SSH_HINT,
    });
  }
  const { environment = process.env, platform = process.platform } = request;
  const onWindows = platform === 'win32';
  // `exec` spares the shell's own process, as OpenSSH does it (sshconnect.c).
  const [shell, ...args] = shellArguments(onWindows ? command : `exec ${command}`, { environment, platform });
  const program = new StartedProgram(shell, args, onNotice, onWindows);
  const stream = new StreamPair(program.stdout, program.stdin, async () => {
    const last = await program.end();
    const words = last?.end.error?.message ?? last?.lines.at(-1) ?? howItEnded(last?.end);
    return new XferError('UNREACHABLE', `connect to ${config.host}: the ProxyCommand ended: ${words}`, {
      // Not the command itself, which may hold a password for the proxy.
      hint: `try it by hand, as ssh starts it: ssh -v ${config.host} true`,
    });
  });
  stream.once('close', () => program.stop());
  return { stream, stop: () => program.stop() };
}

function howItEnded(end: { exitCode: number | null; signal: string | undefined } | undefined): string {
  if (!end) return 'it closed its output';
  return end.signal ? `stopped by ${end.signal}` : `exit code ${end.exitCode}`;
}
