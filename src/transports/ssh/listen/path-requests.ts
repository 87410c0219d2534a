/** Requests about a name: looks, attributes, directories, links, rename and removal. */
import { XferError } from '../../../errors.js';
import { bytesFromName } from '../../../names.js';
import type { Entry } from '../../../transport.js';
import type { Attributes } from '../sftp/attributes.js';
import { changeOf, checkOwnerStays } from './attributes.js';
import { isShownTarget, linkTarget } from './client-paths.js';
import { changeable, type Folder } from './folder.js';

/** What `path` leads to, or what has the name itself. NOT_FOUND where nothing is. */
export async function look({ share, drafts, scope }: Folder, path: string, follow: boolean): Promise<Entry> {
  const draft = drafts.find(path);
  if (draft) return draft.look();
  const entry = await (follow ? share.stat(path, scope) : share.look(path, scope));
  if (entry) return entry;
  throw new XferError('NOT_FOUND', `look at ${path}: no such file or directory`);
}

/** Where a link points, as it is stored. DENIED where that would tell of what is outside. */
export async function readLink({ share, scope }: Folder, path: string): Promise<Buffer> {
  const entry = await share.look(path, scope);
  if (!entry) throw new XferError('NOT_FOUND', `read link ${path}: no such file or directory`);
  if (entry.target === undefined) throw new XferError('EXISTS', `read link ${path}: not a link`);
  if (isShownTarget(path, entry.target)) return bytesFromName(entry.target);
  throw new XferError('DENIED', `read link ${path}: it leads out of what is shared`);
}

export async function changePath(folder: Folder, path: string, attributes: Attributes, follow: boolean): Promise<void> {
  const sink = changeable(folder);
  const change = changeOf(attributes);
  const draft = folder.drafts.find(path);
  if (draft) draft.change(change);
  else await sink.change(path, change, follow, folder.scope);
  if (attributes.owner) checkOwnerStays(attributes, await look(folder, path, follow));
}

export async function makeDirectory(folder: Folder, path: string, { permissions }: Attributes): Promise<void> {
  const sink = changeable(folder);
  await checkFree(folder, path);
  const mode = permissions === undefined ? {} : { mode: permissions & 0o777 };
  await sink.create({ path, kind: 'directory', ...mode }, folder.scope);
}

/** `target` as the client wrote it. DENIED where it leads out of the root. */
export async function makeLink(folder: Folder, path: string, target: Buffer): Promise<void> {
  const sink = changeable(folder);
  const stored = linkTarget(path, target);
  await checkFree(folder, path);
  await sink.create({ path, kind: 'symlink', target: stored }, folder.scope);
}

async function checkFree({ share, drafts, scope }: Folder, path: string): Promise<void> {
  if (drafts.find(path) || (await share.look(path, scope))) {
    throw new XferError('EXISTS', `create ${path}: already exists`);
  }
}

export async function remove(folder: Folder, path: string): Promise<void> {
  const sink = changeable(folder);
  const dropped = folder.drafts.drop(path);
  try {
    await sink.remove(path, 'file', folder.scope);
  } catch (error) {
    if (!dropped || !(error instanceof XferError && error.code === 'NOT_FOUND')) throw error;
  }
}

export async function removeDirectory(folder: Folder, path: string): Promise<void> {
  await changeable(folder).remove(path, 'directory', folder.scope);
}

/** `replace`: rename(2), as posix-rename@openssh.com; else version 3's, which takes no name that is taken. */
export async function rename(folder: Folder, from: string, to: string, replace: boolean): Promise<void> {
  const sink = changeable(folder);
  const { drafts, share, scope } = folder;
  if (from === to && replace) return void (await look(folder, from, false));
  if (!replace) await checkFree(folder, to);
  if (drafts.find(from)) {
    const there = await share.look(to, scope);
    if (there?.kind === 'directory') throw new XferError('EXISTS', `rename ${from}: ${to} is a directory`);
    if (drafts.rename(from, to)) return;
  }
  const isDirectory = (await share.look(from, scope))?.kind === 'directory';
  if (isDirectory && drafts.find(to)) throw new XferError('EXISTS', `rename ${from}: ${to} already exists`);
  await sink.rename(from, to, replace, scope);
  drafts.drop(to);
  if (isDirectory) drafts.moved(from, to);
}
