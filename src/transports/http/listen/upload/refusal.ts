/** Why an upload is not taken, as whoever sends it is told. */
import { type ErrorCode, XferError } from '../../../../errors.js';

/** An answer that refuses: a status, and a sentence in ASCII that a person understands. */
export class Refusal extends XferError {
  readonly status: number;
  readonly reason: string;
  readonly fields: Readonly<Record<string, string>>;

  constructor(status: number, reason: string, fields: Record<string, string> = {}, code: ErrorCode = 'DENIED') {
    super(code, `upload: ${reason}`);
    this.status = status;
    this.reason = reason;
    this.fields = fields;
  }
}

const RETRY_SOON = { 'Retry-After': '5' };
const NOT_STORED = { 'Cache-Control': 'no-store' };

export const refusals = {
  exists: () => new Refusal(409, 'Something has that name already, and nothing is overwritten here.', {}, 'EXISTS'),
  existsNow: () => new Refusal(412, 'Something has that name already.', {}, 'EXISTS'),
  changed: () => new Refusal(412, 'What is there is not what it was expected to be.', {}, 'EXISTS'),
  folder: () => new Refusal(409, 'A folder, or something else that is no file, has that name.', {}, 'EXISTS'),
  busy: () => new Refusal(409, 'Another upload of that name is under way; try again when it has ended.', RETRY_SOON),
  noFolder: () => new Refusal(409, 'The folder that it would lie in is not there; make it first.', {}, 'NOT_FOUND'),
  name: () => new Refusal(403, 'That name is not taken here.', {}, 'UNSAFE_PATH'),
  noName: () => new Refusal(400, 'A name for the file is missing.', {}, 'UNSAFE_PATH'),
  tooLarge: (most: number) => new Refusal(413, `A file may have ${most} bytes here, and this one has more.`),
  quota: (most: number) => new Refusal(507, `All that is here may have ${most} bytes, and it would be more.`),
  disk: () => new Refusal(507, 'The disk has no room for it.', {}, 'NO_SPACE'),
  tooMany: () => new Refusal(503, 'Too many uploads are under way; try again later.', RETRY_SOON),
  usedUp: () => new Refusal(410, 'All that is taken here has come.', { Connection: 'close' }),
  digest: () => new Refusal(400, 'The bytes that came do not have the digest that was given; nothing was saved.'),
  digestField: () => new Refusal(400, 'The digest that was given cannot be read.'),
  stalled: () => new Refusal(408, 'Too little came for too long.', { Connection: 'close' }, 'TIMED_OUT'),
  tooMuch: () => new Refusal(400, 'More bytes came than were announced.', { Connection: 'close' }),
  tooFew: () => new Refusal(400, 'Fewer bytes came than were announced.'),
  noForm: () =>
    new Refusal(
      415,
      'A form is sent as multipart/form-data; a single file is sent by PUT, as by curl -T.',
      {},
      'UNSUPPORTED',
    ),
  readOnly: () => new Refusal(403, 'What is here can neither be renamed nor removed.'),
  dropBox: () => new Refusal(403, 'Files can be put here, and nothing can be looked at.'),
  missing: () => new Refusal(404, 'There is no such upload, or no longer.', NOT_STORED, 'NOT_FOUND'),
  malformed: (what: string) => new Refusal(400, `${what} is missing or malformed.`, {}, 'PROTOCOL'),
} as const;

/** What the sink's codes mean to whoever uploads. */
const BY_CODE: Partial<Record<ErrorCode, () => Refusal>> = {
  NO_SPACE: refusals.disk,
  EXISTS: refusals.exists,
  NOT_FOUND: refusals.noFolder,
  UNSAFE_PATH: refusals.name,
  DENIED: () => new Refusal(403, 'The folder may not be written to.'),
  UNSUPPORTED: () => new Refusal(403, 'What is there cannot be written to.'),
};

/** The refusal that an error of the sink is; undefined where it is a fault of ours, or of the line. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  return error instanceof XferError ? BY_CODE[error.code]?.() : undefined;
}
