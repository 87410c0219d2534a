/** Patterns in the path of a source, expanded by listing directories: glob(3) as OpenSSH's scp uses it, without braces. */
import { XferError } from '../../errors.js';
import { compileGlob, hasGlob, withoutEscapes } from '../../glob.js';
import { bytesFromName, nameFromBytes } from '../../names.js';
import type { Scope } from '../../transport.js';
import { isSafeName, resolveRoot } from './paths.js';
import { kindOf } from './sftp/attributes.js';
import type { SftpClient } from './sftp/client.js';
import { DirectoryReader } from './sftp/directory-reader.js';

/** More than anybody means, and than a command should hold. */
const MAX_MATCHES = 100_000;

/** Whether a typed path has to be looked up on the server before it is copied. */
export function isPattern(typed: string): boolean {
  return hasGlob(typed) || typed.includes('\\');
}

/**
 * The paths that a typed one stands for, in byte order. Names that start with a dot only where the pattern does; never `.`
 * and `..`. Where nothing matches: the name itself, without its escapes where that is there. USAGE for too many matches,
 * DENIED where nothing matches because a directory may not be listed.
 */
export async function expandGlob(client: SftpClient, typed: string, scope: Scope): Promise<readonly string[]> {
  const root = await resolveRoot(client, typed, scope);
  const expansion = new Expansion(client, scope);
  const matches = hasGlob(root) ? await expansion.run(root) : [];
  if (matches.length > 0) return matches.sort(byBytes).map(notHome);
  const literal = withoutEscapes(root);
  if (await expansion.exists(literal)) return [notHome(literal)];
  if (expansion.denied) throw expansion.denied;
  return [typed];
}

class Expansion {
  /** Why a directory could not be listed. */
  denied: XferError | undefined;
  readonly #client: SftpClient;
  readonly #scope: Scope;

  constructor(client: SftpClient, scope: Scope) {
    this.#client = client;
    this.#scope = scope;
  }

  /** Part by part, from what the parts before it stand for. */
  async run(pattern: string): Promise<string[]> {
    const [, start, rest, end] = /^(\/*)(.*?)(\/*)$/s.exec(pattern) as unknown as [string, string, string, string];
    let found = [start.slice(0, 1)];
    let literal = false;
    for (const part of rest.split(/\/+/)) {
      literal = !hasGlob(part);
      found = literal ? found.map((path) => path + withoutEscapes(part)) : await this.#matchAll(found, part);
      found = found.map((path) => `${path}/`);
    }
    const paths = found.map((path) => path.slice(0, -1) + end.slice(0, 1));
    return literal || end !== '' ? this.#existing(paths) : paths;
  }

  async #matchAll(directories: readonly string[], part: string): Promise<string[]> {
    const matches = compileGlob(part, '!');
    const found: string[] = [];
    for (const directory of directories) {
      for (const name of await this.#list(directory)) {
        if (name.startsWith('.') && (name === '.' || name === '..' || !part.startsWith('.'))) continue;
        if (matches(name)) found.push(directory + name);
      }
      if (found.length > MAX_MATCHES) {
        throw new XferError('USAGE', `match ${part}: more than ${MAX_MATCHES} names`, {
          hint: 'copy the directory with -r and --include',
        });
      }
    }
    return found;
  }

  /** None where it is no directory, or may not be read. */
  async #list(directory: string): Promise<string[]> {
    const reader = new DirectoryReader(this.#client, bytesFromName(directory || '.'), this.#scope);
    const names: string[] = [];
    try {
      for (let items = await reader.next(); items; items = await reader.next()) {
        for (const { name } of items) names.push(checkedName(name, directory));
      }
    } catch (error) {
      this.#pass(error);
    }
    return names;
  }

  async #existing(paths: readonly string[]): Promise<string[]> {
    const there = await Promise.all(paths.map((path) => this.exists(path)));
    return paths.filter((_, index) => there[index]);
  }

  /** With a slash at its end a path is that of a directory. */
  async exists(path: string): Promise<boolean> {
    try {
      const wantsDirectory = path.endsWith('/');
      const how = wantsDirectory ? 'stat' : 'lstat';
      const attributes = await this.#client.find(how, bytesFromName(path), this.#scope);
      return attributes !== undefined && (!wantsDirectory || kindOf(attributes) === 'directory');
    } catch (error) {
      this.#pass(error);
      return false;
    }
  }

  /** Goes on without what could not be looked at. */
  #pass(error: unknown): void {
    const { signal } = this.#scope;
    if (signal.aborted) throw signal.reason;
    if (this.#client.channel.ended) throw this.#client.channel.ended;
    if (!(error instanceof XferError) || ['PROTOCOL', 'UNSAFE_PATH'].includes(error.code)) throw error;
    if (error.code === 'DENIED') this.denied ??= error;
  }
}

function checkedName(name: Buffer, directory: string): string {
  if (isSafeName(name)) return nameFromBytes(name);
  const shown = nameFromBytes(name.subarray(0, 100));
  throw new XferError(
    'UNSAFE_PATH',
    `list ${directory || '.'}: the server sent ${shown || 'an empty name'}, which is no name`,
  );
}

function byBytes(one: string, other: string): number {
  return Buffer.compare(bytesFromName(one), bytesFromName(other));
}

/** A found name that starts with `~` means no home directory. */
function notHome(path: string): string {
  return path.startsWith('~') ? `./${path}` : path;
}
