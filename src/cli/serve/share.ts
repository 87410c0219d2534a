/** What `xfer serve` shares over HTTP: a directory, a file, several of them, or standard input. */
import { basename, resolve } from 'node:path';
import { XferError } from '../../errors.js';
import { GatheredSource } from '../../gathered-source.js';
import { openSource } from '../../open.js';
import type { Scope, Source } from '../../transport.js';

/** The name of what has none: `/`. */
const NAMELESS = 'root';

/**
 * A source that holds each of the paths under its own name, or what is in the one directory that is given. The caller
 * closes it. NOT_FOUND, DENIED; USAGE where two would have the same name.
 */
export async function openShare(paths: readonly string[], scope: Scope): Promise<Source> {
  const sources = new Map<string, Source>();
  try {
    for (const path of paths) {
      const source = await openSource({ scheme: path === '-' ? 'stdio' : 'file', path }, {}, scope);
      if (paths.length === 1) return source;
      const name = source.name || basename(resolve(path)) || NAMELESS;
      if (sources.has(name)) {
        await source.close();
        throw sameName(name, path);
      }
      sources.set(name, source);
    }
    return new GatheredSource(sources);
  } catch (error) {
    for (const source of sources.values()) await source.close();
    throw error;
  }
}

function sameName(name: string, path: string): XferError {
  return new XferError('USAGE', `serve ${path}: something else that is shared is called ${name}, too`, {
    hint: 'share the directory that both are in, or give one of them another name by a link',
  });
}
