/** What keeps a copy from its own end: the target is the source, or lies in it, by its path or by a link in the tree. */
import { XferError } from '../errors.js';
import { joinPath, parentPath } from '../names.js';
import type { Entry, Scope, Sink, Source } from '../transport.js';

/** Whether the target is the source. UNSAFE_PATH where a directory would be copied into itself, without end. */
export function isItself(source: Source, sink: Sink, { kind }: Entry, prefix: string): boolean {
  const target = joinPath(sink.identity.replace(/\/+$/, ''), prefix);
  const own = source.identity.replace(/\/+$/, '');
  if (kind === 'directory' && target.startsWith(`${own}/`)) throw intoItself(source.label, sink);
  return target === own;
}

/** What a walk through links meets of the directory that it is copied to. */
export class OwnTarget {
  readonly #sink: Sink;
  readonly #path: string;
  readonly #mayMeet: boolean;
  readonly #met = new Set<string>();
  #identity: string | undefined;

  /** `path`: what the source's root becomes, below the root of the sink. */
  constructor(source: Source, sink: Sink, path: string) {
    this.#sink = sink;
    this.#path = path;
    this.#mayMeet = schemeOf(source.identity) === schemeOf(sink.identity) && !sink.capabilities.blind;
  }

  /** Whether the entry lies in the target. UNSAFE_PATH for the target itself. */
  async holds({ path, kind, identity }: Entry, scope: Scope): Promise<boolean> {
    if (this.#met.size > 0 && this.#met.has(parentPath(path))) {
      if (kind === 'directory') this.#met.add(path);
      return true;
    }
    if (!this.#mayMeet || kind !== 'directory' || identity === undefined || path === '') return false;
    this.#identity ??= (await this.#sink.stat(this.#path, scope))?.identity;
    if (this.#identity !== identity) return false;
    this.#met.add(path);
    throw intoItself(path, this.#sink);
  }
}

function schemeOf(identity: string): string {
  return identity.slice(0, identity.indexOf(':'));
}

function intoItself(what: string, sink: Sink): XferError {
  return new XferError('UNSAFE_PATH', `copy ${what} to ${sink.label}: a directory into itself`);
}
