/** Opens the temporary file of a draft, or the one that an earlier run left. */
import { draftName } from '../../draft-name.js';
import { XferError } from '../../errors.js';
import { bytesFromName, nameFromBytes, printable } from '../../names.js';
import type { Entry, OpenOptions, Scope } from '../../transport.js';
import { explainWrite } from './commit.js';
import { SftpDraft } from './draft.js';
import type { FarDigest } from './far-digest.js';
import { keepOwner } from './keep-owner.js';
import { ownLeft } from './left-draft.js';
import { joinBytes, splitPath } from './paths.js';
import type { LaneOpener } from './sessions.js';
import { type Attributes, kindOf } from './sftp/attributes.js';
import type { SftpClient } from './sftp/client.js';
import { OPEN, STATUS } from './sftp/codec.js';
import { statusOf } from './sftp/status.js';

export interface DraftOptions {
  readonly client: SftpClient;
  readonly lane: LaneOpener;
  /** The far side's own digest of a file; undefined where it has none. */
  readonly farDigest: FarDigest;
  readonly path: Buffer;
  readonly entry: Entry;
  readonly onNotice?: OpenOptions['onNotice'];
  /** The directory was made by this copy, so nothing has the target's name. */
  readonly inNewDirectory?: boolean;
  readonly inPlace?: boolean;
}

const MAX_LINKS = 8;

/** What the server said to the requests that start a draft. */
interface Start {
  readonly target: Attributes | undefined;
  /** What had the temporary name before. */
  readonly left: Attributes | undefined;
  readonly handle: Buffer | undefined;
  readonly error: unknown;
}

/** One round trip where nothing is unusual. EXISTS where the target is a directory, DENIED, NO_SPACE, NOT_FOUND. */
export async function startDraft(options: DraftOptions, scope: Scope, links = 0): Promise<SftpDraft> {
  const { client, path, entry } = options;
  const there = options.inPlace ? await client.find('stat', path, scope) : undefined;
  if (there && kindOf(there) !== 'directory') return inPlace(options, scope);
  const temporary = temporaryPath(path, entry);
  let start = await ask(options, temporary, scope);
  if (start.error && mayBeLeft(entry, start.error)) start = await openLeft(options, temporary, start, scope);
  const { target, left, handle, error } = start;
  const kind = target && kindOf(target);
  if (kind === 'symlink' || kind === 'directory' || kind === 'special') {
    if (handle) await client.close(handle).catch(() => undefined);
    if (handle && !left) await client.remove(temporary).catch(() => undefined);
    if (kind === 'special') return inPlace(options, scope);
    if (kind === 'symlink') return startDraft(await throughLink(options, links, scope), scope, links + 1);
    throw new XferError('EXISTS', `write ${nameFromBytes(path)}: is a directory`);
  }
  if (!handle) return explainOpen(options, target, error, scope);
  const ours = await checkLeft(options, { left, handle, temporary, target }, scope);
  keepMode(client, handle, entry, target);
  const instead = await insteadOfOwnerLost(options, { temporary, handle, target }, scope);
  if (instead) return instead;
  const held = await heldBytes(client, handle, entry, ours);
  return new SftpDraft({ ...options, temporary, isNew: target === undefined, handle, held });
}

/** As `ownLeft`, if something was left; the handle is closed where it is not ours, and else has the mode of a new draft. */
async function checkLeft(
  { client, entry }: DraftOptions,
  file: { left: Attributes | undefined; handle: Buffer; temporary: Buffer; target: Attributes | undefined },
  scope: Scope,
): Promise<Attributes | undefined> {
  if (!file.left) return undefined;
  try {
    const left = await ownLeft(client, file, scope);
    if (entry.mode !== undefined) client.fsetstat(file.handle, firstMode(entry), 'set mode').catch(() => undefined);
    return left;
  } catch (error) {
    client.close(file.handle).catch(() => undefined);
    throw error;
  }
}

/** A status that says no more than "Failure" is what OpenSSH answers where the name is taken. */
function mayBeLeft(entry: Entry, error: unknown): boolean {
  const status = statusOf(error);
  return entry.version !== undefined && status !== undefined && status !== STATUS.NO_SUCH_FILE;
}

/** Looks at the target and makes the temporary file, in one round trip. */
async function ask(options: DraftOptions, temporary: Buffer, scope: Scope): Promise<Start> {
  const { client, path, entry, inNewDirectory } = options;
  const flags = OPEN.WRITE | OPEN.READ | OPEN.CREAT | OPEN.EXCL;
  const [target, opened] = await Promise.allSettled([
    inNewDirectory ? undefined : client.find('lstat', path, scope),
    client.open(temporary, flags, firstMode(entry), scope, `write ${nameFromBytes(path)}`),
  ]);
  const handle = opened.status === 'fulfilled' ? opened.value : undefined;
  const error = opened.status === 'rejected' ? opened.reason : undefined;
  if (target.status === 'fulfilled') return { target: target.value, left: undefined, handle, error };
  if (handle) await client.close(handle).catch(() => undefined);
  if (handle) await client.remove(temporary).catch(() => undefined);
  throw target.reason;
}

/** Opens what has the temporary name. UNSAFE_PATH for a link, by which a file would be made elsewhere, and for another's file. */
async function openLeft(options: DraftOptions, temporary: Buffer, start: Start, scope: Scope): Promise<Start> {
  const { client, path } = options;
  const left = await client.find('lstat', temporary, scope);
  if (!left) return start;
  if (kindOf(left) !== 'file') throw notOurs(temporary);
  try {
    const what = `write ${nameFromBytes(path)}`;
    const handle = await client.open(temporary, OPEN.WRITE | OPEN.READ, {}, scope, what);
    return { ...start, left, handle, error: undefined };
  } catch (error) {
    if (statusOf(error) === STATUS.PERMISSION_DENIED) throw notOurs(temporary);
    return { ...start, left, error };
  }
}

function notOurs(temporary: Buffer): XferError {
  return new XferError('UNSAFE_PATH', `write ${nameFromBytes(temporary)}: something else has that name`, {
    hint: 'remove it',
  });
}

/** What a new file is made with; the server takes its umask off. */
export function modeOf({ mode }: Entry): Attributes {
  return mode === undefined ? {} : { permissions: mode & 0o777 };
}

/** Never wider than the file will be for others; writable by us, so that a later run can open it again. */
function firstMode(entry: Entry): Attributes {
  const { permissions } = modeOf(entry);
  return permissions === undefined ? {} : { permissions: permissions | 0o600 };
}

/** Unless mode and time will be set exactly. Sent before the first WRITE: the bytes of a private file are not shown while they arrive. */
function keepMode(client: SftpClient, handle: Buffer, entry: Entry, target: Attributes | undefined): void {
  if (entry.mtimeMs !== undefined || target?.permissions === undefined) return;
  const permissions = target.permissions & 0o777;
  client.fsetstat(handle, { permissions }, 'set mode').catch(() => undefined);
}

/** A left file that is longer than the entry is cut, so that it can be committed. */
async function heldBytes(
  client: SftpClient,
  handle: Buffer,
  entry: Entry,
  left: Attributes | undefined,
): Promise<number> {
  const size = left?.size ?? 0;
  if (entry.size === undefined || size <= entry.size) return size;
  await client.fsetstat(handle, { size: entry.size }, `shorten ${entry.path}`);
  return entry.size;
}

async function explainOpen(
  options: DraftOptions,
  target: Attributes | undefined,
  error: unknown,
  scope: Scope,
): Promise<SftpDraft> {
  const { client, path } = options;
  const clear = await explainWrite(client, splitPath(path).directory, `write ${nameFromBytes(path)}`, error);
  const denied = clear instanceof XferError && clear.code === 'DENIED';
  if (!denied || !target) throw withHint(clear);
  const draft = await inPlace(options, scope).catch(() => {
    throw withHint(clear);
  });
  const name = printable(nameFromBytes(path));
  options.onNotice?.(`${name}: its directory takes no new file, so it is overwritten in place`);
  return draft;
}

/** In place, where a new file cannot be given to whom the target belongs; undefined where it can, or in place is refused. */
async function insteadOfOwnerLost(
  options: DraftOptions,
  { temporary, handle, target }: { temporary: Buffer; handle: Buffer; target: Attributes | undefined },
  scope: Scope,
): Promise<SftpDraft | undefined> {
  const { client, path, onNotice } = options;
  if (await keepOwner(client, handle, target, `write ${nameFromBytes(path)}`)) return undefined;
  const name = printable(nameFromBytes(path));
  const draft = await inPlace(options, scope).catch(() => undefined);
  if (!draft) {
    onNotice?.(`${name}: its owner and group could not be kept`);
    return undefined;
  }
  await client.close(handle).catch(() => undefined);
  await client.remove(temporary).catch(() => undefined);
  onNotice?.(`${name}: so that it keeps its owner and group, it is overwritten in place`);
  return draft;
}

function withHint(error: Error): Error {
  if (!(error instanceof XferError) || error.code !== 'NOT_FOUND') return error;
  const { code, message, cause } = error;
  return new XferError(code, message, { cause, hint: 'make its directory on the server first' });
}

/** A device, or a file in a directory where nothing can be created: no temporary name, and nothing to resume. */
async function inPlace(options: DraftOptions, scope: Scope): Promise<SftpDraft> {
  const { client, path } = options;
  const handle = await client.open(path, OPEN.WRITE, {}, scope);
  const sized = kindOf(await client.fstat(handle, `write ${nameFromBytes(path)}`, scope)) !== 'special';
  return new SftpDraft({ ...options, temporary: undefined, handle, held: 0, sized });
}

/** A link at the target stays; what it points at is written, as cp and scp do. */
async function throughLink(options: DraftOptions, links: number, scope: Scope): Promise<DraftOptions> {
  const { client, path } = options;
  if (links >= MAX_LINKS) throw new XferError('UNSAFE_PATH', `write ${nameFromBytes(path)}: too many links`);
  const target = await client.readlink(path, scope);
  return {
    ...options,
    inNewDirectory: false,
    path: target[0] === 0x2f ? target : joinBytes(splitPath(path).directory, target),
  };
}

/** Beside the target; the same for the same version of an entry, so that a later run finds it. */
export function temporaryPath(path: Buffer, entry: Entry): Buffer {
  const { directory, name } = splitPath(path);
  return joinBytes(directory, bytesFromName(draftName(nameFromBytes(name), entry)));
}
