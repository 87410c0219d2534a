/** Pictures, sound, film and text, looked at without leaving the page. */
import type { List } from './list.js';
import { iconButton, labelled, make, part } from './make.js';
import { downloadHref, type Row } from './rows.js';
import { textView, type View } from './text-view.js';

/** A click on the name of what can be looked at shows it; with a key held the browser does what it always does. */
export function addPreviews(list: List): void {
  let preview: Preview | undefined;
  part('list').addEventListener('click', (event) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest('a');
    const row = link && list.matches.find((each) => each.link === link);
    if (!row || !canBeShown(row)) return;
    event.preventDefault();
    preview ??= new Preview(list);
    preview.open(row);
  });
}

function canBeShown({ kind }: Row): boolean {
  return ['image', 'audio', 'video', 'text'].includes(kind) || (kind === 'pdf' && navigator.pdfViewerEnabled);
}

class Preview {
  readonly #list: List;
  readonly #title = make('h2', { id: 'preview-title' });
  readonly #place = make('p');
  readonly #get = labelled(make('a', { id: 'preview-get', className: 'icon button', title: 'Download' }), 'Download');
  readonly #open = labelled(make('a', { id: 'open', className: 'icon button', title: 'Open alone' }), 'Open alone');
  readonly #previous = iconButton('previous', 'Previous (left arrow)', () => this.#step(-1));
  readonly #next = iconButton('next', 'Next (right arrow)', () => this.#step(1));
  readonly #body = make('div', { id: 'preview-body' });
  readonly #note = make('p', { id: 'preview-note', hidden: true });
  readonly #dialog: HTMLDialogElement;
  #row: Row | undefined;
  #loading = new AbortController();

  constructor(list: List) {
    this.#list = list;
    this.#get.download = '';
    this.#place.setAttribute('role', 'status');
    const close = iconButton('close', 'Close (Escape)', () => this.#dialog.close());
    const bar = make('div', { id: 'preview-bar' }, this.#title, this.#place);
    bar.append(this.#previous, this.#next, this.#open, this.#get, close);
    this.#dialog = make('dialog', {}, bar, this.#body, this.#note);
    this.#dialog.setAttribute('aria-labelledby', 'preview-title');
    this.#dialog.addEventListener('keydown', (event) => this.#onKey(event));
    this.#dialog.addEventListener('click', ({ target }) => target === this.#dialog && this.#dialog.close());
    this.#dialog.addEventListener('close', () => this.#closed());
    document.body.append(this.#dialog);
  }

  open(row: Row): void {
    this.#show(row);
    this.#dialog.showModal();
  }

  /** The arrows belong to sound and film while these have the focus. */
  #onKey(event: KeyboardEvent): void {
    if (event.target instanceof HTMLMediaElement || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'ArrowLeft') this.#step(-1);
    else if (event.key === 'ArrowRight') this.#step(1);
  }

  #closed(): void {
    this.#loading.abort();
    this.#body.replaceChildren();
    if (this.#row) this.#list.focus(this.#row);
  }

  /** All that can be looked at and is not filtered away, in the order of the page. */
  #all(): Row[] {
    return this.#list.matches.filter(canBeShown);
  }

  #step(by: 1 | -1): void {
    const all = this.#all();
    const row = this.#row && all[all.indexOf(this.#row) + by];
    if (row) this.#show(row);
  }

  #show(row: Row): void {
    this.#row = row;
    this.#loading.abort();
    this.#loading = new AbortController();
    const all = this.#all();
    const at = all.indexOf(row);
    this.#title.textContent = row.name;
    this.#place.textContent = `${at + 1} of ${all.length}`;
    this.#get.href = downloadHref(row.link);
    this.#open.href = row.link.href;
    this.#turnOff(this.#previous, at <= 0);
    this.#turnOff(this.#next, at >= all.length - 1);
    this.#put({ content: make('p', { textContent: 'Loading…' }) });
    void this.#load(row, this.#loading.signal);
  }

  /** A button with the focus would lose it by being disabled. */
  #turnOff(button: HTMLButtonElement, off: boolean): void {
    button.setAttribute('aria-disabled', String(off));
  }

  async #load(row: Row, signal: AbortSignal): Promise<void> {
    try {
      const view = row.kind === 'text' ? await textView(row, signal) : { content: this.#element(row) };
      if (!signal.aborted) this.#put(view);
    } catch (error) {
      if (!signal.aborted) this.#fail((error as Error).message);
    }
  }

  #put({ content, note = '' }: View): void {
    this.#body.replaceChildren(content);
    this.#body.scrollTop = 0;
    this.#note.textContent = note;
    this.#note.hidden = note === '';
  }

  #fail(reason: string): void {
    this.#put({ content: make('p', { textContent: `It cannot be shown: ${reason}.` }) });
  }

  #element({ kind, link, name }: Row): HTMLElement {
    const onerror = (): void => this.#fail('this browser does not know its format');
    const src = link.href;
    switch (kind) {
      case 'image':
        return make('img', { src, alt: name, onerror });
      case 'audio':
        return labelled(make('audio', { src, controls: true, autoplay: true, onerror }), name);
      case 'video':
        return labelled(make('video', { src, controls: true, autoplay: true, playsInline: true, onerror }), name);
      default:
        return make('iframe', { src, title: name });
    }
  }
}
