/** What the rows copy, and where. */
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findProgram } from '../support/peers.js';
import { makeFlatTree, makeRandomFile, makeSparseFile } from '../support/trees.js';

export interface GroundOptions {
  readonly bigMiB: number;
  readonly files: number;
  readonly fileBytes: number;
  readonly sparseGiB: number;
}

/** One thing to copy. */
export interface Load {
  /** As in `256 MiB`. */
  readonly title: string;
  readonly path: string;
  readonly bytes: number;
  readonly files: number;
  readonly tree: boolean;
}

/** Files in each folder of the tree's first level, which holds folders of a hundred. */
const FOLDER_FILES = 10_000;
const PAGE_BYTES = 4096;

/** A temporary directory in memory, where there is room. What is copied is made when it is first asked for. */
export class Ground {
  readonly folder: string;
  readonly #options: GroundOptions;
  readonly #missing = new Set<string>();
  #big: Load | undefined;
  #tree: Load | undefined;
  #sparse: Load | undefined;

  constructor(options: GroundOptions) {
    this.#options = options;
    this.folder = mkdtempSync(join(hasRoom(roomBytes(options)) ? '/dev/shm' : tmpdir(), 'xfer-bench-'));
    process.on('exit', () => this.remove());
  }

  /** A file of random bytes, alone in its folder. */
  get big(): Load {
    this.#big ??= this.#makeBig();
    return this.#big;
  }

  /** Small files of random bytes in nested folders. */
  get tree(): Load {
    this.#tree ??= this.#makeTree();
    return this.#tree;
  }

  /** A file that is all holes. */
  get sparse(): Load {
    this.#sparse ??= this.#makeSparse();
    return this.#sparse;
  }

  #makeBig(): Load {
    const { bigMiB } = this.#options;
    const path = join(this.folder, 'big-file', 'big');
    const bytes = bigMiB * 2 ** 20;
    mkdirSync(dirname(path));
    makeRandomFile(path, bytes);
    return { title: `${bigMiB} MiB`, path, bytes, files: 1, tree: false };
  }

  #makeTree(): Load {
    const { files, fileBytes } = this.#options;
    const path = join(this.folder, 'tree');
    for (let first = 0; first < files; first += FOLDER_FILES) {
      const folder = join(path, `t${first / FOLDER_FILES}`);
      makeFlatTree(folder, Math.min(FOLDER_FILES, files - first), fileBytes);
    }
    const size = fileBytes % 1024 === 0 ? `${fileBytes / 1024} KiB` : `${fileBytes} bytes`;
    return { title: `${files} files of ${size}`, path, bytes: files * fileBytes, files, tree: true };
  }

  #makeSparse(): Load {
    const { sparseGiB } = this.#options;
    const path = join(this.folder, 'sparse');
    const bytes = sparseGiB * 2 ** 30;
    makeSparseFile(path, bytes);
    return { title: `${sparseGiB} GiB of holes`, path, bytes, files: 1, tree: false };
  }

  /** Path of a program to compare with, or undefined, which is said once. */
  peer(name: string): string | undefined {
    const path = findProgram(name);
    if (path === undefined && !this.#missing.has(name)) {
      this.#missing.add(name);
      process.stdout.write(`${name} is missing here and left out.\n`);
    }
    return path;
  }

  /** Throws where a copy is not the same. */
  mustBeSame(label: string, found: readonly string[]): void {
    if (found.length > 0) throw new Error(`${label} copied wrongly: ${found.slice(0, 3).join('; ')}`);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What is copied and its copies, with room to spare: a program may leave one behind while the next is written. */
function roomBytes({ bigMiB, files, fileBytes, sparseGiB }: GroundOptions): number {
  const treeBytes = files * (Math.ceil(fileBytes / PAGE_BYTES) + 1) * PAGE_BYTES;
  return 4 * bigMiB * 2 ** 20 + 2 * treeBytes + 1.2 * sparseGiB * 2 ** 30;
}

function hasRoom(bytes: number): boolean {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize > bytes;
  } catch {
    return false;
  }
}
