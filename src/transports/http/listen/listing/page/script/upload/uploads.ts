/** The part of the page that puts files into its folder: chosen, or dropped anywhere on the page. */
import { make, part } from '../make.js';
import { type Chosen, chosenIn, dropped } from './chosen.js';
import { forget, type Remembered, rememberedIn } from './remembered.js';
import { send } from './send.js';
import { Transfer } from './transfer.js';
import { TransferView } from './view.js';

const AT_ONCE = 3;

/** Told after the page was loaded again to show what came. */
const TOLD = 'xfer-uploaded';

/** Makes the plain forms comfortable, where the page has them. */
export function addUploads(): void {
  const place = document.getElementById('upload');
  if (place) new Uploads(place);
}

class Uploads {
  readonly #list = make('ul', { id: 'transfers', hidden: true });
  readonly #status = make('p', { id: 'upload-status' });
  readonly #waiting: Transfer[] = [];
  readonly #made = new Set<string>();
  #running = 0;
  /** Drops that are still looked through. */
  #adding = 0;
  #done = 0;
  #failed = 0;
  /** The listener ends with the first. */
  readonly #one: boolean;

  constructor(place: HTMLElement) {
    this.#one = place.dataset.one !== undefined;
    this.#status.setAttribute('role', 'status');
    this.#list.setAttribute('aria-label', 'Uploads');
    const folders = this.#one ? [] : [this.#chooser('Upload a folder', true)];
    part('upload-files').replaceWith(this.#chooser(this.#one ? 'Upload a file' : 'Upload files', false), ...folders);
    place.append(this.#status, this.#list);
    this.#takeDrops();
    this.#status.textContent = takeTold() ?? unfinished(rememberedIn(folderPath()));
    window.addEventListener('beforeunload', (event) => {
      if (this.#running > 0) event.preventDefault();
    });
  }

  #chooser(text: string, folders: boolean): HTMLElement {
    const field = make('input', { type: 'file', multiple: !this.#one, className: 'unseen', webkitdirectory: folders });
    field.addEventListener('change', () => {
      const chosen = chosenIn(field);
      field.value = '';
      void this.#add(chosen);
    });
    return make('label', { className: 'button' }, text, field);
  }

  #takeDrops(): void {
    const root = document.documentElement;
    const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    document.addEventListener('dragover', (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      root.classList.add('dropping');
    });
    document.addEventListener('dragleave', (event) => {
      if (event.relatedTarget === null) root.classList.remove('dropping');
    });
    document.addEventListener('drop', (event) => {
      if (!event.dataTransfer || !holdsFiles(event)) return;
      event.preventDefault();
      root.classList.remove('dropping');
      void dropped(event.dataTransfer).then((chosen) => this.#add(chosen));
    });
  }

  async #add(chosen: readonly Chosen[]): Promise<void> {
    this.#list.hidden = false;
    this.#status.textContent = '';
    this.#adding += 1;
    for (const { file, folders } of chosen) {
      await this.#makeFolders(folders);
      const target = `./${[...folders, file.name].map(encodeURIComponent).join('/')}`;
      const transfer: Transfer = new Transfer(file, target, () => view.draw());
      const view = new TransferView(transfer, {
        onResume: () => this.#enqueue(transfer),
        onGone: () => this.#tell(),
      });
      this.#list.append(view.element);
      this.#enqueue(transfer);
    }
    this.#adding -= 1;
    this.#tell();
  }

  /** What is there already is left as it is; what cannot be made is told by the files that it was for. */
  async #makeFolders(folders: readonly string[]): Promise<void> {
    for (let depth = 1; depth <= folders.length; depth += 1) {
      const url = `./${folders.slice(0, depth).map(encodeURIComponent).join('/')}/`;
      if (this.#made.has(url)) continue;
      this.#made.add(url);
      await send({ method: 'MKCOL', url, signal: new AbortController().signal });
    }
  }

  #enqueue(transfer: Transfer): void {
    if (transfer.state === 'failed') this.#failed -= 1;
    transfer.state = 'waiting';
    this.#waiting.push(transfer);
    this.#next();
  }

  #next(): void {
    while (this.#running < AT_ONCE) {
      const transfer = this.#waiting.shift();
      if (!transfer) return;
      if (transfer.state === 'waiting') void this.#run(transfer);
    }
  }

  async #run(transfer: Transfer): Promise<void> {
    this.#running += 1;
    await transfer.run();
    this.#running -= 1;
    if (transfer.state === 'done') this.#done += 1;
    if (transfer.state === 'failed') this.#failed += 1;
    this.#next();
    this.#tell();
  }

  /** Once nothing is under way. */
  #tell(): void {
    if (this.#adding + this.#running + this.#waiting.length > 0) return;
    const open = this.#list.querySelector('li:not(.done)') !== null;
    this.#status.textContent = outcome(this.#done, this.#failed);
    // What there is to see then is this, and nothing of a folder.
    const shows = !this.#one && document.documentElement.dataset.dropBox === undefined;
    if (open || this.#done === 0 || !shows || document.querySelector('dialog[open]')) return;
    keepTold(this.#status.textContent);
    location.reload();
  }
}

function outcome(done: number, failed: number): string {
  const files = (count: number): string => `${count} ${count === 1 ? 'file' : 'files'}`;
  const parts = [];
  if (done > 0) parts.push(`${files(done)} uploaded`);
  if (failed > 0) parts.push(`${files(failed)} not uploaded`);
  return parts.join(', ');
}

function folderPath(): string {
  return new URL('.', location.href).pathname;
}

/** A browser forgets the files themselves, so a person has to choose them again. */
function unfinished(left: readonly Remembered[]): string {
  if (left.length === 0) return '';
  const [first] = left as [Remembered];
  const dayMs = 24 * 3_600_000;
  for (const { key, atMs } of left) if (Date.now() - atMs > 30 * dayMs) forget(key);
  const more = left.length > 1 ? ` and ${left.length - 1} more` : '';
  return `Broken off: ${first.name}${more}. Choose the same again, and it goes on where it was.`;
}

function keepTold(text: string): void {
  try {
    sessionStorage.setItem(TOLD, text);
  } catch {}
}

function takeTold(): string | undefined {
  try {
    const text = sessionStorage.getItem(TOLD) ?? undefined;
    sessionStorage.removeItem(TOLD);
    return text;
  } catch {
    return undefined;
  }
}
