/** Requests about an open file: OPEN, READ, WRITE, CLOSE, FSTAT, FSETSTAT and fsync@openssh.com. */
import { XferError } from '../../../errors.js';
import type { EditOptions, Entry } from '../../../transport.js';
import type { Attributes } from '../sftp/attributes.js';
import { OPEN } from '../sftp/codec.js';
import { DataPacket, endPacket } from './answers.js';
import { changeOf, checkOwnerStays } from './attributes.js';
import { changeable, type Folder } from './folder.js';
import type { FileHandle, Handle } from './handles.js';

/** Most bytes that one READ is answered with; `limits@openssh.com` says so. */
export const MOST_READ_BYTES = 255 * 1024;

/** What asks for more than reading. */
export const CHANGES = OPEN.WRITE | OPEN.APPEND | OPEN.CREAT | OPEN.TRUNC;

/** NOT_FOUND, EXISTS, DENIED where a change is asked for and none may be made, UNSAFE_PATH, NO_SPACE. */
export async function openFile(
  folder: Folder,
  path: string,
  flags: number,
  { permissions }: Attributes,
): Promise<FileHandle> {
  const mayWrite = (flags & (OPEN.WRITE | OPEN.APPEND)) !== 0;
  const mayRead = (flags & OPEN.READ) !== 0 || !mayWrite;
  const common = {
    kind: 'file',
    path,
    mayRead,
    mayWrite,
    changes: (flags & CHANGES) !== 0,
    openedMs: performance.now(),
    bytesRead: 0,
    bytesWritten: 0,
  } as const;
  const draft = folder.drafts.find(path);
  if (!common.changes && !draft) {
    return { ...common, file: await folder.share.open(path, folder.scope), edit: undefined };
  }
  const sink = changeable(folder);
  if (draft) {
    if (flags & OPEN.CREAT && flags & OPEN.EXCL) throw new XferError('EXISTS', `open ${path}: already exists`);
    if (flags & OPEN.TRUNC) draft.change({ size: 0 });
    return { ...common, file: undefined, edit: draft.hold() };
  }
  const file = await sink.edit(path, editOptions(flags, permissions), folder.scope);
  return { ...common, file: undefined, edit: await folder.drafts.add(file, (flags & OPEN.TRUNC) !== 0) };
}

/** What may not be there before is written in place, so that what a broken connection leaves can be gone on with. */
function editOptions(flags: number, permissions: number | undefined): EditOptions {
  const exclusive = (flags & OPEN.EXCL) !== 0;
  return {
    create: flags & OPEN.CREAT ? (exclusive ? 'must' : 'may') : 'never',
    truncate: (flags & OPEN.TRUNC) !== 0,
    append: (flags & OPEN.APPEND) !== 0,
    read: (flags & OPEN.READ) !== 0,
    whole: !exclusive,
    ...(permissions === undefined ? {} : { mode: permissions & 0o777 }),
  };
}

/** The handle as one of a file. DENIED for another kind, or where it was not opened for this. */
export function fileHandle(handle: Handle | undefined, use: 'read' | 'write' | 'any'): FileHandle {
  if (handle?.kind === 'file') {
    if (use === 'any' || (use === 'read' ? handle.mayRead : handle.mayWrite)) return handle;
    throw new XferError('DENIED', `${use}: the file was not opened for this`);
  }
  throw new XferError('INTERNAL', 'handle: not one of an open file');
}

/** A DATA packet, or the one that says that the file has ended. */
export async function readAnswer(id: number, handle: FileHandle, start: number, length: number): Promise<Buffer> {
  // Behind what a file can have, so behind its end.
  if (start === Number.POSITIVE_INFINITY) return endPacket(id);
  const packet = new DataPacket(id, Math.min(length, MOST_READ_BYTES));
  const bytes = await readAt(handle, packet.room, start);
  if (bytes === 0) return endPacket(id);
  handle.bytesRead += bytes;
  return packet.filled(bytes);
}

async function readAt({ file, edit, path }: FileHandle, target: Buffer, start: number): Promise<number> {
  if (edit) return edit.readAt(target, start);
  if (file?.readAt) return file.readAt(target, start);
  throw new XferError('UNSUPPORTED', `read ${path}: its bytes cannot be read anywhere`);
}

/** Writes pieces that follow each other. */
export async function writePieces(handle: FileHandle, pieces: readonly Buffer[], start: number): Promise<void> {
  if (!handle.edit) throw new XferError('DENIED', `write ${handle.path}: the file was not opened for this`);
  if (start === Number.POSITIVE_INFINITY) throw new XferError('NO_SPACE', 'write: behind what a file can have');
  await handle.edit.writeAt(pieces, start);
  for (const piece of pieces) handle.bytesWritten += piece.length;
}

/** What it is now: it may grow while it is read. */
export function entryOf({ file, edit, path }: FileHandle): Entry {
  const entry = edit?.look() ?? file?.look?.() ?? file?.entry;
  if (entry) return entry;
  throw new XferError('INTERNAL', `look at ${path}: nothing is open`);
}

/** DENIED where nothing may be changed. A file that is only read is changed by its name. */
export async function changeFile(folder: Folder, handle: FileHandle, attributes: Attributes): Promise<void> {
  const sink = changeable(folder);
  const change = changeOf(attributes);
  if (handle.edit) handle.edit.change(change);
  else await sink.change(handle.path, change, true, folder.scope);
  if (attributes.owner) checkOwnerStays(attributes, entryOf(handle));
}

/** Resolves when its name, or what was written, is as durable as it gets. `lost`: the connection died. */
export async function closeHandle(handle: Handle, lost: boolean): Promise<void> {
  if (handle.kind === 'directory') await handle.items.return?.();
  else if (handle.edit) await handle.edit.release(handle.changes && !lost);
  else await handle.file?.close();
}
