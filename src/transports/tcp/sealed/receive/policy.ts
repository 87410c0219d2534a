/** What a receiver takes: the names, links and modes that a sender may give to things in its directory, and how fast. */
import { XferError } from '../../../../errors.js';
import { nameFault } from '../../../../name-fault.js';
import { lastPart, parentPath, pathParts } from '../../../../names.js';
import type { Entry } from '../../../../transport.js';

export interface ReceivePolicy {
  /** Files that are there are replaced; else each is left, and its sender told. */
  readonly overwrite?: boolean;
  /** Names that begin with a dot, right in the target directory, as `.bashrc` in a home. */
  readonly dotfiles?: boolean;
  /** Names that some system does not take, such as `a:b`, `con` or `a.`. */
  readonly anyNames?: boolean;
  /** A person took what was offered, so nothing becomes larger than that. */
  readonly asOffered?: boolean;
  /** Of the copy, for the names of drafts, so that a later run finds those of one that was killed. */
  readonly run?: string;
  /** Resolves when so many more bytes may come, from all senders together. */
  readonly admit?: (bytes: number, signal: AbortSignal) => Promise<void>;
}

/** UNSAFE_PATH where a name may not be made here. */
export function checkName(path: string, policy: ReceivePolicy): void {
  const parts = pathParts(path);
  if (!parts) throw new XferError('UNSAFE_PATH', `name ${path}: leaves its directory`);
  if (parts[0]?.startsWith('.') && !policy.dotfiles) {
    throw new XferError('UNSAFE_PATH', `name ${path}: begins with a dot, which the receiver does not take at the top`, {
      hint: 'the receiver allows it with --allow-dotfiles, or takes it into a new directory',
    });
  }
  if (policy.anyNames) return;
  for (const part of parts) {
    const fault = nameFault(part, 'win32');
    if (fault === undefined) continue;
    throw new XferError('UNSAFE_PATH', `name ${path}: ${fault}`, {
      hint: 'rename it, or let the receiver take it with --any-names',
    });
  }
}

/** UNSAFE_PATH for a link that leads out of the directory, or to a place by its absolute name. */
export function checkLink({ path, target = '' }: Entry): void {
  const place = pathParts(parentPath(path)) ?? [];
  let inside = target !== '' && !/^[/\\]|^[a-z]:|\0|\\/i.test(target);
  for (const part of target.split('/')) {
    if (part === '..') inside &&= place.pop() !== undefined;
    else if (part !== '.' && part !== '') place.push(part);
  }
  if (inside) return;
  throw new XferError('UNSAFE_PATH', `link ${path}: leads out of the receiver's directory`, {
    hint: `send what ${lastPart(path)} leads to, without --links keep`,
  });
}

/** Nobody gets rights by a mode that another machine made up. */
export function safeEntry(entry: Entry): Entry {
  return entry.mode === undefined ? entry : { ...entry, mode: entry.mode & 0o777 };
}
