/** The one error class, and the one table of its codes and exit codes. */
import { printable } from './names.js';

interface CodeRow {
  readonly exit: number;
  /** The same request may succeed later. */
  readonly retryable: boolean;
  readonly meaning: string;
}

/** Every code; `--help`, the README and the exit code read this table. */
export const ERROR_CODES = {
  INTERNAL: { exit: 1, retryable: false, meaning: 'a bug in xfer' },
  USAGE: { exit: 2, retryable: false, meaning: 'the command line is not right' },
  UNSUPPORTED: { exit: 2, retryable: false, meaning: 'the other end, or xfer, cannot do this' },
  NOT_FOUND: { exit: 3, retryable: false, meaning: 'no such file or directory' },
  DENIED: { exit: 4, retryable: false, meaning: 'no permission, a failed login, or a key that does not match' },
  UNREACHABLE: { exit: 5, retryable: true, meaning: 'no connection could be made' },
  DISCONNECTED: { exit: 5, retryable: true, meaning: 'the connection ended early' },
  TIMED_OUT: { exit: 5, retryable: true, meaning: 'nothing came for too long' },
  TRUNCATED: { exit: 5, retryable: true, meaning: 'fewer bytes came than were announced' },
  PROTOCOL: { exit: 6, retryable: false, meaning: 'the other end broke its protocol' },
  RANGE_IGNORED: { exit: 6, retryable: false, meaning: 'the other end sent other bytes than those asked for' },
  CORRUPT: { exit: 7, retryable: false, meaning: 'a digest or a length does not match' },
  SOURCE_CHANGED: { exit: 7, retryable: false, meaning: 'the source changed while it was copied' },
  EXISTS: { exit: 8, retryable: false, meaning: 'something has that name already' },
  NO_SPACE: { exit: 8, retryable: false, meaning: 'no room is left' },
  UNSAFE_PATH: { exit: 8, retryable: false, meaning: 'a name that would leave its directory' },
  PARTIAL: { exit: 9, retryable: false, meaning: 'some of several failed; the rest arrived' },
} as const satisfies Record<string, CodeRow>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Exit codes of a command that a signal stopped: 128 and the signal's number. */
export const SIGNAL_EXITS = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const;

export interface XferErrorOptions {
  /** Something that the person can type or do next. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** How long the other end asked to wait before another try. */
  readonly retryAfterMs?: number | undefined;
}

/** What every rejected promise of xfer holds. The message reads `<what> <object>: <reason>`, and is printable. */
export class XferError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: XferErrorOptions = {}) {
    super(printable(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint === undefined ? undefined : printable(options.hint);
    this.retryAfterMs = options.retryAfterMs;
  }

  override get name(): string {
    return 'XferError';
  }

  get exitCode(): number {
    return ERROR_CODES[this.code].exit;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}

interface SystemRow {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly hint?: string;
}

/** The hint where the other end, or this one, has no room left. */
export const MAKE_ROOM = 'make room there, then run the same command again';

/** What the operating system's words mean. */
const SYSTEM_ERRORS: Record<string, SystemRow> = {
  ENOENT: { code: 'NOT_FOUND', reason: 'no such file or directory' },
  ENOTDIR: { code: 'NOT_FOUND', reason: 'not a directory' },
  ENXIO: { code: 'NOT_FOUND', reason: 'a socket, or a device that is not there' },
  EISDIR: { code: 'EXISTS', reason: 'is a directory' },
  ERR_FS_EISDIR: { code: 'EXISTS', reason: 'is a directory' },
  EEXIST: { code: 'EXISTS', reason: 'already exists' },
  ENOTEMPTY: { code: 'EXISTS', reason: 'directory not empty' },
  EACCES: { code: 'DENIED', reason: 'permission denied' },
  EPERM: { code: 'DENIED', reason: 'operation not permitted' },
  EROFS: { code: 'DENIED', reason: 'read-only file system' },
  ENOSPC: { code: 'NO_SPACE', reason: 'no space left on device', hint: MAKE_ROOM },
  EDQUOT: { code: 'NO_SPACE', reason: 'disk quota exceeded', hint: MAKE_ROOM },
  EFBIG: { code: 'NO_SPACE', reason: 'file too large for the file system' },
  ELOOP: { code: 'UNSAFE_PATH', reason: 'too many links' },
  ENAMETOOLONG: { code: 'UNSAFE_PATH', reason: 'name too long' },
  EINVAL: { code: 'UNSAFE_PATH', reason: 'not accepted by the file system' },
  EILSEQ: { code: 'UNSAFE_PATH', reason: 'not a name that the file system takes' },
  EMFILE: { code: 'NO_SPACE', reason: 'too many open files', hint: 'allow more: ulimit -n 1024' },
  ENOTFOUND: { code: 'UNREACHABLE', reason: 'no such host', hint: 'is its name written right?' },
  EAI_AGAIN: {
    code: 'UNREACHABLE',
    reason: 'the name could not be looked up',
    hint: 'is its name written right, and this machine on a network?',
  },
  ECONNREFUSED: {
    code: 'UNREACHABLE',
    reason: 'connection refused',
    hint: 'nothing listens there: is the port right, and the other end started?',
  },
  EHOSTUNREACH: { code: 'UNREACHABLE', reason: 'no route to host' },
  ENETUNREACH: { code: 'UNREACHABLE', reason: 'network is unreachable' },
  EADDRNOTAVAIL: { code: 'UNREACHABLE', reason: 'address not available' },
  EADDRINUSE: { code: 'EXISTS', reason: 'the port is in use' },
  ETIMEDOUT: { code: 'TIMED_OUT', reason: 'timed out' },
  ECONNRESET: { code: 'DISCONNECTED', reason: 'connection reset by the other end' },
  EPIPE: { code: 'DISCONNECTED', reason: 'the other end closed the connection' },
  ECONNABORTED: { code: 'DISCONNECTED', reason: 'connection aborted' },
  ERR_STREAM_PREMATURE_CLOSE: { code: 'DISCONNECTED', reason: 'the stream closed early' },
};

/** The system's code on an error, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/**
 * Any thrown value as an XferError: itself where it is one, the last of several failures, the table's row for a system error, else INTERNAL. `what`
 * starts the message, as in `read photo.jpg`.
 */
export function toXferError(error: unknown, what: string, options: XferErrorOptions = {}): XferError {
  const inner = error instanceof AggregateError ? (error.errors.at(-1) as unknown) : error;
  if (inner instanceof XferError) return inner;
  const code = systemCode(inner) ?? '';
  const row = Object.hasOwn(SYSTEM_ERRORS, code) ? SYSTEM_ERRORS[code] : undefined;
  if (row) return new XferError(row.code, `${what}: ${row.reason}`, { cause: error, hint: row.hint, ...options });
  const reason = error instanceof Error ? error.message : String(error);
  return new XferError('INTERNAL', `${what}: ${reason}`, { cause: error, ...options });
}

/** Throws the signal's reason where it was aborted. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw signal.reason;
}
