/** Files and folders as a person chooses or drops them. */

export interface Chosen {
  readonly file: File;
  /** Names of the folders that it lies in, from the folder of the page on. */
  readonly folders: readonly string[];
}

/** What a folder that was dropped holds, without end: a folder with links in it can be one. */
const MOST_FILES = 100_000;

/** Of a field: with their folders where a folder was chosen. */
export function chosenIn({ files }: HTMLInputElement): Chosen[] {
  return Array.from(files ?? [], (file) => ({ file, folders: file.webkitRelativePath.split('/').slice(0, -1) }));
}

/** Of a drop. To be called while the event is told: afterwards it holds nothing any more. */
export async function dropped({ items }: DataTransfer): Promise<Chosen[]> {
  const entries = Array.from(items, (item) => (item.kind === 'file' ? item.webkitGetAsEntry() : null));
  const found: Chosen[] = [];
  for (const entry of entries) if (entry) await gather(entry, [], found);
  return found;
}

async function gather(entry: FileSystemEntry, folders: readonly string[], found: Chosen[]): Promise<void> {
  if (found.length >= MOST_FILES) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ file, folders });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // It gives a hundred at a time.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const each of some) await gather(each, [...folders, entry.name], found);
  }
}
