/** What is in one directory, each thing looked at. */
import { type BigIntStats, type Dir, lstatSync, opendirSync, readlinkSync, statSync } from 'node:fs';
import { toXferError, XferError } from '../../errors.js';
import { nameFromBytes, nameFromLatin1 } from '../../names.js';
import { otherKind } from '../../other-kind.js';
import type { Entry, OpenOptions } from '../../transport.js';
import { entryFrom, identityOf, kindOf } from './attributes.js';
import { childPlace, fsPath } from './root.js';
import type { SettledPath } from './settled-path.js';

/** Directories inside each other; scp's own limit is 64, a file system's is near 2,000. */
const MAX_DEPTH = 1000;

/** Names that are looked at without a turn for anybody else: on a cold disk each may take a millisecond. */
const NAMES_AT_ONCE = 32;
const NAMES_READ_AHEAD = 128;

export type Looked =
  | { readonly found: Entry; readonly stats: BigIntStats; readonly linked: boolean }
  | { readonly path: string; readonly fault: XferError };

export interface Looking {
  /** Its path below the root. */
  readonly directory: string;
  /** The local path of it. */
  readonly open: () => string;
  /** A quicker one, for as long as it counts. */
  readonly quick?: SettledPath | undefined;
  readonly links: NonNullable<OpenOptions['links']>;
  /** That of the source. */
  readonly label: string;
}

/**
 * At once, as what is looked at is: a promise for each name would cost more than the name, and what a directory was just
 * read from answers in a tenth of the time that a thread takes.
 */
export function* lookAtChildren({ directory, open, quick, links, label }: Looking): Generator<Looked, undefined> {
  let names: Dir;
  let place: string;
  try {
    place = open();
    names = opendirSync(fsPath(place) as string, { encoding: 'latin1', bufferSize: NAMES_READ_AHEAD });
  } catch (error) {
    yield { path: directory, fault: toXferError(error, `read ${directory || label}`) };
    return;
  }
  try {
    for (let some = readSome(names); some.length > 0; some = readSome(names)) {
      const lookBy = (way: string): Looked[] => lookAtSome(directory, some, way, links);
      const seen = quick && lookBy(quick.place);
      yield* seen && quick.isStill() ? seen : lookBy(place);
    }
  } catch (error) {
    yield { path: directory, fault: toXferError(error, `read ${directory || label}`) };
  } finally {
    names.closeSync();
  }
}

/** The next names of a directory, none at its end. */
function readSome(directory: Dir): string[] {
  const names: string[] = [];
  while (names.length < NAMES_AT_ONCE) {
    const found = directory.readSync();
    if (!found) break;
    names.push(nameFromLatin1(found.name));
  }
  return names;
}

function lookAtSome(directory: string, names: readonly string[], place: string, links: Looking['links']): Looked[] {
  const looked: Looked[] = [];
  for (const name of names) {
    const one = lookAtChild(directory === '' ? name : `${directory}/${name}`, place, name, links);
    if (one) looked.push(one);
  }
  return looked;
}

function lookAtChild(path: string, place: string, name: string, links: Looking['links']): Looked | undefined {
  try {
    const local = fsPath(childPlace(place, name));
    const own = lstatSync(local, { bigint: true });
    const linked = kindOf(own) === 'symlink';
    if (linked && links === 'skip') return undefined;
    if (linked && links === 'keep') {
      const target = nameFromBytes(readlinkSync(local, { encoding: 'buffer' }));
      return { found: { ...entryFrom(path, 'symlink', own), target }, stats: own, linked };
    }
    const stats = linked ? statSync(local, { bigint: true }) : own;
    const kind = kindOf(stats);
    if (kind) return { found: entryFrom(path, kind, stats), stats, linked };
    throw otherKind(path);
  } catch (error) {
    return { path, fault: toXferError(error, `read ${path}`) };
  }
}

/** UNSAFE_PATH for a directory that lies in itself, by a link. */
export function checkLoop(looked: Looked, above: readonly string[]): Looked {
  if ('fault' in looked || looked.found.kind !== 'directory') return looked;
  const { path } = looked.found;
  if (!above.includes(identityOf(looked.stats)) && above.length < MAX_DEPTH) return looked;
  return { path, fault: new XferError('UNSAFE_PATH', `read ${path}: a link back to a directory above it`) };
}
