/** The files that every row copies, and where. */
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../support/peers.js';
import { makeFlatTree, makeRandomFile } from '../support/trees.js';

export interface GroundOptions {
  readonly sizeMiB: number;
  readonly files: number;
}

const SMALL_FILE_BYTES = 2048;

/** A temporary directory with a big file and a tree of small ones; in memory where there is room. */
export class Ground {
  readonly folder: string;
  readonly sizeMiB: number;
  readonly bytes: number;
  /** Holds the big file alone. */
  readonly bigFolder: string;
  readonly bigFile: string;
  readonly files: number;
  readonly tree: string;
  readonly treeBytes: number;
  readonly #missing = new Set<string>();

  constructor(options: GroundOptions) {
    this.sizeMiB = options.sizeMiB;
    this.bytes = options.sizeMiB * 2 ** 20;
    this.files = options.files;
    this.treeBytes = options.files * SMALL_FILE_BYTES;
    this.folder = mkdtempSync(join(roomFor(this.bytes * 4) ? '/dev/shm' : tmpdir(), 'xfer-bench-'));
    process.on('exit', () => this.remove());
    this.bigFolder = join(this.folder, 'big-file');
    mkdirSync(this.bigFolder);
    this.bigFile = join(this.bigFolder, 'big');
    this.tree = join(this.folder, 'tree');
    makeRandomFile(this.bigFile, this.bytes);
    makeFlatTree(this.tree, options.files, SMALL_FILE_BYTES);
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

function roomFor(bytes: number): boolean {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize > bytes;
  } catch {
    return false;
  }
}
