import { systemCode, toXferError, XferError } from '../../errors.js';
import type { SshConfig } from './config.js';

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
  if (level === 'client-timeout') return new XferError('DISCONNECTED', `${what}: the server stopped answering`);
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
