/** Opens the temporary file of a draft, or the one that an earlier run left. */
import { createHash, randomBytes } from 'node:crypto';
import { XferError } from '../../errors.js';
import { bytesFromName, nameFromBytes, printable } from '../../names.js';
import type { Entry, OpenOptions, Scope } from '../../transport.js';
import { SftpDraft } from './draft.js';
import { joinBytes, splitPath } from './paths.js';
import { type Attributes, kindOf } from './sftp-attributes.js';
import type { SftpClient } from './sftp-client.js';
import { OPEN } from './sftp-codec.js';

export interface DraftOptions {
  readonly client: SftpClient;
  readonly path: Buffer;
  readonly entry: Entry;
  readonly onNotice?: OpenOptions['onNotice'];
}

const NAME_BYTES = 255;
const MAX_LINKS = 8;

/** One round trip where nothing is unusual. EXISTS where the target is a directory, DENIED, NO_SPACE, NOT_FOUND. */
export async function startDraft(options: DraftOptions, scope: Scope, links = 0): Promise<SftpDraft> {
  const { client, path, entry } = options;
  const temporary = temporaryPath(path, entry);
  const resumable = entry.version !== undefined;
  const asked = {
    target: found(client.lstat(path, scope)),
    left: resumable ? found(client.lstat(temporary, scope)) : Promise.resolve(undefined),
    handle: client.open(
      temporary,
      OPEN.WRITE | OPEN.READ | OPEN.CREAT | (resumable ? 0 : OPEN.EXCL),
      firstMode(entry),
      scope,
    ),
  };
  const [target, left, handle] = await Promise.allSettled([asked.target, asked.left, asked.handle]);
  const drop = async () => {
    if (handle.status !== 'fulfilled') return;
    await client.close(handle.value).catch(() => undefined);
    if (left.status === 'fulfilled' && !left.value) await client.remove(temporary).catch(() => undefined);
  };
  if (target.status === 'rejected' || left.status === 'rejected') {
    await drop();
    throw target.status === 'rejected' ? target.reason : (left as PromiseRejectedResult).reason;
  }
  const kind = target.value && kindOf(target.value);
  if (kind === 'symlink' || kind === 'directory' || kind === 'special') await drop();
  if (kind === 'directory') throw new XferError('EXISTS', `write ${nameFromBytes(path)}: is a directory`);
  if (kind === 'special') return inPlace(options, scope);
  if (kind === 'symlink') return startDraft(await throughLink(options, links, scope), scope, links + 1);
  if (handle.status === 'rejected') return explainOpen(options, target.value, handle.reason, scope);
  if (left.value && kindOf(left.value) !== 'file') {
    await client.close(handle.value).catch(() => undefined);
    throw new XferError('UNSAFE_PATH', `write ${nameFromBytes(temporary)}: something else has that name`, {
      hint: 'remove it',
    });
  }
  keepMode(client, handle.value, entry, target.value);
  const held = await heldBytes(client, handle.value, entry, left.value);
  return new SftpDraft({ ...options, temporary, handle: handle.value, held });
}

/** Never wider than the file will be; writable by us, so that a later run can open it again. */
function firstMode(entry: Entry): Attributes {
  return entry.mode === undefined ? {} : { permissions: (entry.mode & 0o777) | 0o600 };
}

/** Sent before the first WRITE: the bytes of a private file are not shown while they arrive. */
function keepMode(client: SftpClient, handle: Buffer, entry: Entry, target: Attributes | undefined): void {
  if (entry.mode !== undefined || target?.permissions === undefined) return;
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
  const denied = error instanceof XferError && error.code === 'DENIED';
  if (!denied || !target) throw error;
  const draft = await inPlace(options, scope).catch(() => {
    throw error;
  });
  const name = printable(nameFromBytes(options.path));
  options.onNotice?.(`${name}: its directory takes no new file, so it is overwritten in place`);
  return draft;
}

/** A device, or a file in a directory where nothing can be created: no temporary name, and nothing to resume. */
async function inPlace(options: DraftOptions, scope: Scope): Promise<SftpDraft> {
  const handle = await options.client.open(options.path, OPEN.WRITE, {}, scope);
  return new SftpDraft({ ...options, temporary: undefined, handle, held: 0 });
}

/** A link at the target stays; what it points at is written, as cp and scp do. */
async function throughLink(options: DraftOptions, links: number, scope: Scope): Promise<DraftOptions> {
  const { client, path } = options;
  if (links >= MAX_LINKS) throw new XferError('UNSAFE_PATH', `write ${nameFromBytes(path)}: too many links`);
  const target = await client.readlink(path, scope);
  return { ...options, path: target[0] === 0x2f ? target : joinBytes(splitPath(path).directory, target) };
}

/** `.name.hash.xfer-part` beside the target: the same for the same version of an entry, so that a later run finds it. */
function temporaryPath(path: Buffer, entry: Entry): Buffer {
  const { directory, name } = splitPath(path);
  const key = Buffer.concat([name, Buffer.from(`\0${entry.version}\0${entry.size}`)]);
  const mark =
    entry.version === undefined
      ? randomBytes(8).toString('hex')
      : createHash('sha256').update(key).digest('hex').slice(0, 16);
  const tail = bytesFromName(`.${mark}.xfer-part`);
  return joinBytes(directory, Buffer.concat([Buffer.from('.'), shorten(name, NAME_BYTES - 1 - tail.length), tail]));
}

/** Cut between characters, since some servers take only whole ones. */
function shorten(name: Buffer, bytes: number): Buffer {
  let end = Math.min(name.length, bytes);
  while (end > 0 && end < name.length && ((name[end] as number) & 0xc0) === 0x80) end--;
  return name.subarray(0, end);
}

async function found(attributes: Promise<Attributes>): Promise<Attributes | undefined> {
  try {
    return await attributes;
  } catch (error) {
    if (error instanceof XferError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}
