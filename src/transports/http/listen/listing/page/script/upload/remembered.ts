/** Uploads that were broken off, so that they go on when the same file is chosen again after the page was loaded anew. */

const KEY = 'xfer-uploads';
const MOST = 200;

export interface Remembered {
  /** Names the file, and where it goes. */
  readonly key: string;
  /** Where it goes on. */
  readonly url: string;
  readonly name: string;
  readonly atMs: number;
}

export function keyOf(target: string, { size, lastModified }: File): string {
  return `${target} ${size} ${lastModified}`;
}

/** Those of this folder, and of the folders in it. */
export function rememberedIn(folder: string): Remembered[] {
  return all().filter(({ key }) => key.startsWith(folder));
}

export function recall(key: string): Remembered | undefined {
  return all().find((each) => each.key === key);
}

export function remember(one: Remembered): void {
  save([one, ...all().filter(({ key }) => key !== one.key)].slice(0, MOST));
}

export function forget(key: string): void {
  save(all().filter((each) => each.key !== key));
}

function all(): Remembered[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? (kept as Remembered[]) : [];
  } catch {
    return [];
  }
}

/** Where the browser keeps nothing, an upload goes on as long as the page does. */
function save(kept: readonly Remembered[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {}
}
