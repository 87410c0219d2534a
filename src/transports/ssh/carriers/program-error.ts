import { type ErrorCode, toXferError, XferError } from '../../../errors.js';
import { noSftp } from './connection-error.js';
import type { ProgramEnd } from './started-program.js';

interface Words {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly hint?: string;
}

/** What ssh says (OpenSSH's sshconnect.c, sshconnect2.c, packet.c and clientloop.c) before it exits with 255. */
const WORDS: readonly Words[] = [
  { pattern: /subsystem request failed/i, code: 'UNSUPPORTED', hint: 'try the old protocol: xfer scp -O' },
  {
    pattern: /Host key verification failed|HOST IDENTIFICATION HAS CHANGED|No .* host key is known/i,
    code: 'DENIED',
    hint: 'check the key of the host, then: ssh-keygen -R host',
  },
  {
    pattern: /Permission denied|Too many authentication failures|No more authentication methods/i,
    code: 'DENIED',
    hint: 'name a key with -i, add one to the agent with ssh-add, or name the user: user@host',
  },
  { pattern: /open failed|session open refused/i, code: 'DENIED' },
  { pattern: /timed out|Timeout, server|not responding/i, code: 'TIMED_OUT' },
  {
    pattern: /Could not resolve|Connection refused|No route to host|unreachable|Can't assign|bind .*:/i,
    code: 'UNREACHABLE',
  },
  { pattern: /Unable to negotiate|no matching/i, code: 'UNSUPPORTED' },
  {
    pattern: /Bad configuration|Bad owner or permissions|unknown option|illegal option|usage:|keyword /i,
    code: 'USAGE',
  },
];

/** A shell's exit codes for what it cannot start (POSIX.1-2024, "Shell Command Language", 2.8.2). */
const NOT_STARTED = [126, 127];

/** Why a program that carries a session ended, in its own words where it said some. `what` starts the message. */
export function programError(what: string, end: ProgramEnd, lines: readonly string[]): XferError {
  if (end.error) {
    return toXferError(end.error, what, { hint: 'name a program that is there, by its full path' });
  }
  for (const { pattern, code, hint } of WORDS) {
    const line = lines.findLast((said) => pattern.test(said));
    if (line !== undefined) return new XferError(code, `${what}: ${line}`, { hint });
  }
  if (NOT_STARTED.includes(end.exitCode ?? 0))
    return noSftp(`${what}: ${lines.at(-1) ?? 'the server has no sftp program'}`);
  const how = end.signal ? `it was stopped by ${end.signal}` : `it ended with exit code ${end.exitCode}`;
  return new XferError('DISCONNECTED', `${what}: ${lines.at(-1) ?? how}`);
}
