/** STATUS answers as errors. */
import { type ErrorCode, XferError } from '../../../errors.js';
import { STATUS } from './codec.js';

/** What the server said; the cause of the XferError that was made of it. */
export class SftpStatus extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The status behind an error, or undefined where it was no STATUS. */
export function statusOf(error: unknown): number | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof SftpStatus ? cause.status : undefined;
}

const MAX_TEXT = 200;

/** FAILURE says nothing by itself: the server's words are looked at, since OpenSSH's say only "Failure". */
const WORDS: readonly [RegExp, ErrorCode][] = [
  [/no space|disk (is )?full|quota/i, 'NO_SPACE'],
  [/exist(s|ing)|not empty/i, 'EXISTS'],
  [/no such file|not found|does not exist/i, 'NOT_FOUND'],
  [/not supported|unsupported/i, 'UNSUPPORTED'],
];

/** An XferError `<what>: <reason>` for a status that is not OK. */
export function statusError(what: string, status: number, text: string): XferError {
  const said = text.slice(0, MAX_TEXT);
  const cause = new SftpStatus(status, said);
  if (status === STATUS.NO_SUCH_FILE)
    return new XferError('NOT_FOUND', `${what}: no such file or directory`, { cause });
  if (status === STATUS.PERMISSION_DENIED) {
    const hint = 'name another path, or log in as a user who may: user@host';
    return new XferError('DENIED', `${what}: permission denied`, { cause, hint });
  }
  if (status === STATUS.OP_UNSUPPORTED) {
    return new XferError('UNSUPPORTED', `${what}: the server does not support this`, { cause });
  }
  if (status === STATUS.EOF) return new XferError('TRUNCATED', `${what}: unexpected end of file`, { cause });
  const silent = said === '' || /^failure$/i.test(said);
  const reason = silent ? 'the server refused without a reason' : said;
  if (status !== STATUS.FAILURE) return new XferError('PROTOCOL', `${what}: ${reason} (status ${status})`, { cause });
  const code = WORDS.find(([words]) => words.test(said))?.[1] ?? 'DENIED';
  const hint = silent
    ? 'the usual ones: a quota, a limit on the size of files or on open ones, a name it cannot have'
    : undefined;
  return new XferError(code, `${what}: ${reason}`, { cause, hint });
}
