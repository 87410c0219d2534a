/** A field that hides the rows whose names do not hold what is typed. */
import { foldCase } from '../../order.js';
import { labelled, make, part } from './make.js';
import type { Row } from './rows.js';

/** Up to so many rows a filter answers each letter at once. */
const MOST_AT_ONCE = 3000;
const PAUSE_MS = 150;

export interface Filter {
  readonly field: HTMLInputElement;
  /** The rows to look through; once they are all there. */
  begin(rows: readonly Row[]): void;
}

/** Puts the field into the page. `/` leads to it, Escape empties it and leaves it. */
export function addFilter(): Filter {
  const field = make('input', { id: 'filter', type: 'search', placeholder: 'Filter by name', autocomplete: 'off' });
  field.spellcheck = false;
  field.setAttribute('aria-keyshortcuts', '/');
  part('bar').prepend(labelled(field, 'Filter by name'));
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]')) return;
    event.preventDefault();
    field.select();
  });
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    if (field.value === '') field.blur();
    field.value = '';
    field.dispatchEvent(new Event('input'));
  });
  return { field, begin: (rows) => begin(field, rows) };
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

function begin(field: HTMLInputElement, rows: readonly Row[]): void {
  const summary = part('summary');
  const all = summary.textContent;
  const nothing = make('p', { id: 'nothing', hidden: true });
  part('list').after(nothing);
  const keys = rows.map(({ name }) => foldCase(name));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const apply = (): void => {
    const words = foldCase(field.value).split(/\s+/);
    let matches = 0;
    for (const [index, { element }] of rows.entries()) {
      const holds = words.every((word) => (keys[index] as string).includes(word));
      if (element.hidden === holds) element.hidden = !holds;
      if (holds) matches += 1;
    }
    const filtered = field.value.trim() !== '';
    summary.textContent = filtered ? `${matches.toLocaleString()} of ${rows.length.toLocaleString()} match` : all;
    nothing.hidden = matches > 0 || !filtered;
    nothing.textContent = nothing.hidden ? '' : `No name here holds “${field.value.trim()}”.`;
  };
  field.addEventListener('input', () => {
    clearTimeout(timer);
    if (rows.length <= MOST_AT_ONCE) apply();
    else timer = setTimeout(apply, PAUSE_MS);
  });
  if (field.value !== '') apply();
}
