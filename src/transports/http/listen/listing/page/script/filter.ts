/** A field that hides the rows whose names do not hold what is typed. */
import { foldCase } from '../../order.js';
import type { List } from './list.js';
import { labelled, make, part } from './make.js';
import type { Row } from './rows.js';

/** Up to so many rows a filter answers each letter at once. */
const MOST_AT_ONCE = 3000;
const PAUSE_MS = 150;

export interface Filter {
  readonly field: HTMLInputElement;
  /** What to look through; once it is all there. */
  begin(list: List): void;
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
  return { field, begin: (list) => begin(field, list) };
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

function begin(field: HTMLInputElement, list: List): void {
  const summary = part('summary');
  const all = summary.textContent;
  const nothing = make('p', { id: 'nothing', hidden: true });
  part('list').after(nothing);
  const keys = new Map<Row, string>();
  const apply = (): void => {
    const text = field.value.trim();
    const words = foldCase(text).split(/\s+/);
    if (keys.size === 0) for (const row of list.all) keys.set(row, foldCase(row.name));
    list.filter((row) => words.every((word) => keys.get(row)?.includes(word)));
    const found = list.matches.length;
    summary.textContent =
      text === '' ? all : `${found.toLocaleString('en')} of ${list.all.length.toLocaleString('en')} match`;
    nothing.hidden = found > 0 || text === '';
    nothing.textContent = nothing.hidden ? '' : `No name here holds “${text}”.`;
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  field.addEventListener('input', () => {
    clearTimeout(timer);
    if (list.all.length <= MOST_AT_ONCE) apply();
    else timer = setTimeout(apply, PAUSE_MS);
  });
  if (field.value !== '') apply();
}
