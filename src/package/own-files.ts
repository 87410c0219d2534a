/** Files that lie beside the code of xfer: its page's parts, and what threads of its own run. */

/**
 * Where such a file is, by its path from the folder of the built code. Only here is that folder known: the command is
 * built into files in a folder beside this one, whatever the modules were that they were made of.
 */
export function ownFile(path: string): URL {
  return new URL(`../${path}`, import.meta.url);
}
