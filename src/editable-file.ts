/** The part of the contract by which a listener lets others change what is there. Types only. */
import type { Entry } from './transport.js';

/** What may be changed of a thing that is there. */
export interface Change {
  readonly size?: number;
  readonly mode?: number;
  readonly mtimeMs?: number;
  /** That of the change where absent; never without it. */
  readonly atimeMs?: number;
}

export interface EditOptions {
  /** 'never': the file must be there; 'must': nothing may have its name. */
  readonly create: 'never' | 'may' | 'must';
  readonly truncate: boolean;
  /** Each write goes to the end, wherever that is. */
  readonly append: boolean;
  /** It will be read as well. */
  readonly read: boolean;
  /** A new or emptied file gathers under another name, and has its own once it is closed. */
  readonly whole: boolean;
  /** Mode of a new file, as far as the umask allows. */
  readonly mode?: number;
}

/** A file open to be changed. Ended by exactly one of `close` and `abandon`, which wait for what is under way. */
export interface EditableFile {
  /** Path of the temporary name under which it gathers; absent where its bytes are in place, and from `giveName` on. */
  readonly temporary?: string | undefined;
  /** What it is now, by its descriptor. */
  look(): Entry;
  readAt(target: Uint8Array, start: number): Promise<number>;
  /** Writes the pieces one after the other from `start` on. NO_SPACE. */
  writeAt(pieces: readonly Uint8Array[], start: number): Promise<void>;
  change(change: Change): void;
  /** Resolves when the bytes are on the disk. */
  sync(): Promise<void>;
  /** The name that it will have, where it gathers under another one. */
  rename(path: string): void;
  /** A directory above it has another name by now, `to` in place of `from`. */
  moved(from: string, to: string): void;
  /** It will get no name. The temporary one is free at once where the system lets go of what is open. */
  drop(): void;
  /** What gathered gets its name while it stays open, where the system can do that: it is in place from then on. */
  giveName(): Promise<void>;
  /** Frees the descriptor; what gathered gets its name, whole. */
  close(): Promise<void>;
  /** Frees the descriptor; what gathered is removed, and what is in place stays as it is. */
  abandon(): Promise<void>;
}
