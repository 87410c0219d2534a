/** The answer to each request of one sftp session. */
import { XferError } from '../../../errors.js';
import { type Attributes, readAttributes } from '../sftp/attributes.js';
import { MAX_PACKET_BYTES, PACKET, type PacketReader } from '../sftp/codec.js';
import * as answer from './answers.js';
import { attributesOf } from './attributes.js';
import { clientPath, filePath, homePath, shownPath, wantsDirectory } from './client-paths.js';
import {
  CHANGES,
  changeFile,
  closeHandle,
  entryOf,
  fileHandle,
  MOST_READ_BYTES,
  openFile,
  readAnswer,
} from './file-requests.js';
import type { Folder } from './folder.js';
import type { Handle, Handles } from './handles.js';
import { nextItems, openListing } from './listing.js';
import { followedPath, ownPath } from './own-path.js';
import * as paths from './path-requests.js';

export interface SessionParts {
  readonly folder: Folder;
  readonly handles: Handles;
  readonly mostHandles: number;
  /** Told of each handle that the client closed. */
  readonly onClosed: (handle: Handle) => void;
}

type Answer = (parts: SessionParts, id: number, reader: PacketReader) => Promise<Buffer>;

/** The extensions that VERSION names (OpenSSH's PROTOCOL file, section 4), with their version. */
export const EXTENSIONS = {
  'posix-rename@openssh.com': '1',
  'statvfs@openssh.com': '2',
  'fstatvfs@openssh.com': '2',
  'fsync@openssh.com': '1',
  'lsetstat@openssh.com': '1',
  'limits@openssh.com': '1',
  'expand-path@openssh.com': '1',
} as const;

/** Requests that change nothing, whatever is in them. */
const SHARED: ReadonlySet<number> = new Set([
  PACKET.READ,
  PACKET.LSTAT,
  PACKET.STAT,
  PACKET.FSTAT,
  PACKET.OPENDIR,
  PACKET.READDIR,
  PACKET.REALPATH,
  PACKET.READLINK,
]);

/**
 * Whether a request changes nothing, so that others of its kind may be under way with it. A file that is only read may be
 * closed beside its last reads, which were asked of it before.
 */
export function isShared(handles: Handles, type: number, reader: PacketReader): boolean {
  if (type === PACKET.OPEN) {
    reader.string();
    return (reader.uint32() & CHANGES) === 0;
  }
  if (type !== PACKET.CLOSE) return SHARED.has(type);
  const handle = handles.find(reader.string());
  return handle !== undefined && (handle.kind === 'directory' || handle.edit === undefined);
}

const path = (reader: PacketReader): string => clientPath(reader.string());
const asked = (reader: PacketReader): Attributes => readAttributes(reader, () => reader.limit());

/** The path that comes next, by the one way that leads to what it names. */
const askedPath = (folder: Folder, reader: PacketReader): Promise<string> => ownPath(folder, path(reader));

const ANSWERS: Readonly<Record<number, Answer>> = {
  async [PACKET.OPEN]({ folder, handles }, id, reader) {
    const [name, flags, attributes] = [reader.string(), reader.uint32(), asked(reader)];
    return answer.handlePacket(
      id,
      await handles.add(async () => openFile(folder, await ownPath(folder, filePath(name)), flags, attributes)),
    );
  },
  async [PACKET.CLOSE]({ handles, onClosed }, id, reader) {
    const handle = handles.take(reader.string());
    if (!handle) throw unknownHandle();
    await closeHandle(handle, false);
    onClosed(handle);
    return answer.okPacket(id);
  },
  async [PACKET.READ]({ handles }, id, reader) {
    const [handle, start, length] = [reader.string(), reader.limit(), reader.uint32()];
    return readAnswer(id, fileHandle(handles.find(handle), 'read'), start, length);
  },
  async [PACKET.LSTAT]({ folder }, id, reader) {
    return answer.attributesPacket(id, attributesOf(await paths.look(folder, await askedPath(folder, reader), false)));
  },
  async [PACKET.STAT]({ folder }, id, reader) {
    return answer.attributesPacket(id, attributesOf(await paths.look(folder, await askedPath(folder, reader), true)));
  },
  async [PACKET.FSTAT]({ folder, handles }, id, reader) {
    const handle = handles.find(reader.string());
    const entry =
      handle?.kind === 'directory' ? await paths.look(folder, handle.path, true) : entryOf(fileHandle(handle, 'any'));
    return answer.attributesPacket(id, attributesOf(entry));
  },
  async [PACKET.SETSTAT]({ folder }, id, reader) {
    await paths.changePath(folder, await askedPath(folder, reader), asked(reader), true);
    return answer.okPacket(id);
  },
  async [PACKET.FSETSTAT]({ folder, handles }, id, reader) {
    const [handle, attributes] = [handles.find(reader.string()), asked(reader)];
    if (handle?.kind === 'directory') await paths.changePath(folder, handle.path, attributes, true);
    else await changeFile(folder, fileHandle(handle, 'any'), attributes);
    return answer.okPacket(id);
  },
  async [PACKET.OPENDIR]({ folder, handles }, id, reader) {
    const name = await followedPath(folder, path(reader));
    return answer.handlePacket(id, await handles.add(() => openListing(folder, name)));
  },
  async [PACKET.READDIR]({ handles }, id, reader) {
    const handle = handles.find(reader.string());
    if (handle?.kind !== 'directory') throw unknownHandle();
    const items = await nextItems(handle);
    return items ? answer.namePacket(id, items) : answer.endPacket(id);
  },
  async [PACKET.REMOVE]({ folder }, id, reader) {
    await paths.remove(folder, await askedPath(folder, reader));
    return answer.okPacket(id);
  },
  async [PACKET.MKDIR]({ folder }, id, reader) {
    await paths.makeDirectory(folder, await askedPath(folder, reader), asked(reader));
    return answer.okPacket(id);
  },
  async [PACKET.RMDIR]({ folder }, id, reader) {
    await paths.removeDirectory(folder, await askedPath(folder, reader));
    return answer.okPacket(id);
  },
  async [PACKET.REALPATH](_parts, id, reader) {
    return answer.pathPacket(id, shownPath(path(reader)));
  },
  [PACKET.RENAME]: ({ folder }, id, reader) => rename(folder, id, reader, false),
  async [PACKET.READLINK]({ folder }, id, reader) {
    return answer.pathPacket(id, await paths.readLink(folder, await askedPath(folder, reader)));
  },
  // The target comes first, as OpenSSH has it against the draft (its PROTOCOL file, section 4.1).
  async [PACKET.SYMLINK]({ folder }, id, reader) {
    const [target, link] = [reader.string(), reader.string()];
    await paths.makeLink(folder, await ownPath(folder, filePath(link)), target);
    return answer.okPacket(id);
  },
  async [PACKET.EXTENDED](parts, id, reader) {
    const name = reader.text();
    const extended = Object.hasOwn(EXTENDED, name) ? EXTENDED[name] : undefined;
    if (extended) return extended(parts, id, reader);
    throw new XferError('UNSUPPORTED', 'extension: not known');
  },
};

const EXTENDED: Readonly<Record<string, Answer>> = {
  'posix-rename@openssh.com': ({ folder }, id, reader) => rename(folder, id, reader, true),
  async 'statvfs@openssh.com'({ folder }, id, reader) {
    await paths.look(folder, await askedPath(folder, reader), true);
    return spacePacket(folder, id);
  },
  async 'fstatvfs@openssh.com'({ folder, handles }, id, reader) {
    if (!handles.find(reader.string())) throw unknownHandle();
    return spacePacket(folder, id);
  },
  async 'fsync@openssh.com'({ handles }, id, reader) {
    await fileHandle(handles.find(reader.string()), 'any').edit?.sync();
    return answer.okPacket(id);
  },
  async 'lsetstat@openssh.com'({ folder }, id, reader) {
    await paths.changePath(folder, await askedPath(folder, reader), asked(reader), false);
    return answer.okPacket(id);
  },
  async 'limits@openssh.com'({ mostHandles }, id) {
    const packet = MAX_PACKET_BYTES - 1024;
    return answer.numbersPacket(id, [packet, MOST_READ_BYTES, MOST_READ_BYTES, mostHandles]);
  },
  async 'expand-path@openssh.com'(_parts, id, reader) {
    return answer.pathPacket(id, shownPath(homePath(reader.string())));
  },
};

async function rename(folder: Folder, id: number, reader: PacketReader, replace: boolean): Promise<Buffer> {
  const [from, to] = [reader.string(), reader.string()];
  const source = await ownPath(folder, clientPath(from));
  const isDirectory = async () => (await paths.look(folder, source, false)).kind === 'directory';
  const target = !wantsDirectory(to) || (await isDirectory()) ? clientPath(to) : filePath(to);
  await paths.rename(folder, source, await ownPath(folder, target), replace);
  return answer.okPacket(id);
}

/** Bits of `f_flag`: ST_RDONLY and ST_NOSUID. */
const FLAG = { READ_ONLY: 1, NO_SUID: 2 } as const;
const NAME_BYTES = 255;

async function spacePacket({ share, receive, scope }: Folder, id: number): Promise<Buffer> {
  if (!share.space) throw new XferError('UNSUPPORTED', 'statvfs: the source does not know its room');
  const { blockBytes, blocks, freeBlocks, availableBlocks, files, freeFiles } = await share.space(scope);
  const flags = FLAG.NO_SUID | (receive ? 0 : FLAG.READ_ONLY);
  const counts = [blocks, freeBlocks, availableBlocks, files, freeFiles, freeFiles].map((count) =>
    Math.min(Math.trunc(count), Number.MAX_SAFE_INTEGER),
  );
  return answer.numbersPacket(id, [blockBytes, blockBytes, ...counts, 0, flags, NAME_BYTES]);
}

function unknownHandle(): XferError {
  return new XferError('INTERNAL', 'handle: not one that is open');
}

/**
 * The packet to send. PROTOCOL where the packet is shorter than its fields, which ends the session; every other failure is
 * an answer.
 */
export async function answerRequest(
  parts: SessionParts,
  type: number,
  id: number,
  reader: PacketReader,
): Promise<Buffer> {
  const answerIt = Object.hasOwn(ANSWERS, type) ? ANSWERS[type] : undefined;
  try {
    if (!answerIt) throw new XferError('UNSUPPORTED', 'request: not known');
    return await answerIt(parts, id, reader);
  } catch (error) {
    if (error instanceof XferError && error.code === 'PROTOCOL') throw error;
    return answer.failurePacket(id, error);
  }
}
