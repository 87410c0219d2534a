import { systemCode, toXferError, XferError } from '../../../errors.js';
import type { SshConfig } from '../config/config.js';

/** What to do where our own SSH cannot do what is asked for. */
export const SYSTEM_SSH_HINT = "let the system's ssh carry it: xfer scp -S ssh …";

/** What went wrong with a connection, by code. `level` is what ssh2 puts on its errors. */
export function connectionError(error: unknown, config: SshConfig): XferError {
  if (error instanceof XferError) return error;
  const place = config.hostName.includes(':') ? `[${config.hostName}]` : config.hostName;
  const what = `connect to ${place}:${config.port}`;
  const { level, message } = error as { level?: string; message: string };
  if (typeof (error as { code?: unknown }).code === 'number') return disconnect(error as Error, what);
  if (systemCode(error) !== undefined || error instanceof AggregateError) return toXferError(error, what);
  if (/before handshake/i.test(message)) {
    return new XferError('DISCONNECTED', `${what}: the connection ended before a greeting`, {
      hint: 'another program may listen there, or the server takes no more logins for now',
      cause: error,
    });
  }
  if (/no matching/i.test(message)) {
    return new XferError('UNSUPPORTED', `${what}: ${message.toLowerCase()}`, {
      hint: SYSTEM_SSH_HINT,
      cause: error,
    });
  }
  if (/identification|version/i.test(message)) {
    return new XferError('PROTOCOL', `${what}: what listens there does not speak SSH 2`, { cause: error });
  }
  if (level === 'protocol' || level === 'handshake') {
    return new XferError('PROTOCOL', `${what}: ${message}`, { cause: error });
  }
  return new XferError('DISCONNECTED', `${what}: ${message}`, { cause: error });
}

/** Reason codes of RFC 4253, 11.1: 14 is "no more auth methods available", 2 what sshd sends for too many failures. */
function disconnect(error: Error, what: string): XferError {
  if (/too many authentication failures/i.test(error.message)) {
    return new XferError('DENIED', `${what}: too many authentication failures`, {
      hint: 'name the key with -i and -o IdentitiesOnly=yes',
      cause: error,
    });
  }
  return new XferError('DISCONNECTED', `${what}: the server said ${error.message}`, { cause: error });
}

/** Why a session was refused on a connection that stands. */
export function sessionError(error: Error, host: string): XferError {
  if (/Channel open failure/i.test(error.message)) {
    return new XferError('DENIED', `session on ${host}: the server takes no more sessions`, { cause: error });
  }
  if (/Unable to (exec|request agent)/i.test(error.message)) {
    return new XferError('DENIED', `command on ${host}: the server starts none`, { cause: error });
  }
  return noSftp(`sftp session on ${host}: the server has no sftp subsystem`, error);
}

/** A session of a server that has no sftp, or names a program for it that is not there. */
export function noSftp(message: string, cause?: Error): XferError {
  return new XferError('UNSUPPORTED', message, { hint: 'try the old protocol: xfer scp -O', cause });
}

/** RFC 4254, 5.1: SSH_OPEN_CONNECT_FAILED. */
const CONNECT_FAILED = 2;

/** Why a jump host did not connect to the next. */
export function forwardError(error: Error, target: string, host: string): XferError {
  const words = error.message.replace(/^\(SSH\) Channel open failure: /i, '');
  const what = `connect to ${target} by way of ${host}: ${words}`;
  if ((error as { reason?: unknown }).reason === CONNECT_FAILED) {
    return new XferError('UNREACHABLE', what, { cause: error });
  }
  return new XferError('DENIED', `connect to ${target} by way of ${host}: it forwards no connections (${words})`, {
    hint: `${host} must allow forwarding: AllowTcpForwarding in its sshd_config`,
    cause: error,
  });
}
