/** What `xfer serve` shares over HTTP: a directory, a file, several of them, or standard input. */
import { basename, resolve } from 'node:path';
import { XferError } from '../../errors.js';
import { GatheredSource } from '../../gathered-source.js';
import { openSource } from '../../open.js';
import type { Scope, Source } from '../../transport.js';
import { checkInputName } from '../input-name.js';

/** How a person writes standard input. */
export const INPUT = '-';

/** With it as a path. */
const EXAMPLE = 'xfer serve -';

/** The name of what has none: `/`. */
const NAMELESS = 'root';

/**
 * A source that holds each of the paths under its own name, or what is in the one directory that is given; standard input
 * under `inputName`, or as `stdin`. The caller closes it. NOT_FOUND, DENIED; USAGE where two would have the same name, and
 * where standard input is not alone, or its name is none.
 */
export async function openShare(
  paths: readonly string[],
  inputName: string | undefined,
  scope: Scope,
): Promise<Source> {
  if (paths.includes(INPUT)) return openInput(paths, inputName, scope);
  checkInputName(inputName, false, EXAMPLE);
  const sources = new Map<string, Source>();
  try {
    for (const path of paths) {
      const source = await openSource({ scheme: 'file', path }, {}, scope);
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

/** It is given away once and then all ends, so nothing else can be shared with it. */
async function openInput(paths: readonly string[], name: string | undefined, scope: Scope): Promise<Source> {
  if (paths.length > 1) {
    throw new XferError('USAGE', `serve ${paths.join(' ')}: standard input is shared alone`, { hint: 'xfer serve -' });
  }
  checkInputName(name, true, EXAMPLE);
  const input = await openSource({ scheme: 'stdio', path: INPUT }, {}, scope);
  return new GatheredSource(new Map([[name ?? input.name, input]]));
}

function sameName(name: string, path: string): XferError {
  return new XferError('USAGE', `serve ${path}: something else that is shared is called ${name}, too`, {
    hint: 'share the directory that both are in, or give one of them another name by a link',
  });
}
