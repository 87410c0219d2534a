import type { Duplex } from 'node:stream';
import { XferError } from '../../errors.js';
import type { SshConfig } from './config.js';
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
  const { shell, args, verbatim } = shellFor(request);
  const program = new StartedProgram(shell, args, onNotice, verbatim);
  const stream = new StreamPair(program.stdout, program.stdin, async () => {
    const last = await program.end();
    const words = last?.end.error?.message ?? last?.lines.at(-1) ?? howItEnded(last?.end);
    return new XferError('UNREACHABLE', `connect to ${config.host}: the ProxyCommand ended: ${words}`, {
      hint: `try it by hand: ${command}`,
    });
  });
  stream.once('close', () => program.stop());
  return { stream, stop: () => program.stop() };
}

function howItEnded(end: { exitCode: number | null; signal: string | undefined } | undefined): string {
  if (!end) return 'it closed its output';
  return end.signal ? `stopped by ${end.signal}` : `exit code ${end.exitCode}`;
}

/** `exec` spares the shell's own process, as OpenSSH does it (sshconnect.c). */
export function shellFor({
  command,
  environment = process.env,
  platform = process.platform,
}: Pick<ProxyCommandRequest, 'command' | 'environment' | 'platform'>): {
  shell: string;
  args: readonly string[];
  verbatim: boolean;
} {
  if (platform !== 'win32') {
    return { shell: environment.SHELL || '/bin/sh', args: ['-c', `exec ${command}`], verbatim: false };
  }
  return { shell: environment.ComSpec || 'cmd.exe', args: ['/d', '/s', '/c', `"${command}"`], verbatim: true };
}
