/** The rows: all of them, those that the filter leaves, and those that are in the page. */
import { type Sort, sorted } from '../../order.js';
import { ROWS_SHOWN } from '../../rows-shown.js';
import { make, part } from './make.js';
import { finishRow, type Row, readRow } from './rows.js';

export class List {
  readonly #table = part<HTMLTableElement>('list');
  readonly #body = part<HTMLTableSectionElement>('rows');
  readonly #count = make('span');
  readonly #more: HTMLElement;
  #all: readonly Row[];
  #holds: (row: Row) => boolean = () => true;
  #matches: readonly Row[];
  #shown = 0;

  /** Takes all rows over that are in the page now. */
  constructor() {
    const later = [...this.#table.querySelectorAll<HTMLTableSectionElement>('.later')];
    this.#all = [this.#body, ...later].flatMap(({ rows }) => Array.from(rows, readRow));
    this.#matches = this.#all;
    const button = make('button', { type: 'button', className: 'button', textContent: 'Show more' });
    button.addEventListener('click', () => this.#append(this.#shown + ROWS_SHOWN));
    this.#more = make('p', { id: 'more' }, this.#count, ' ', button);
    this.#table.after(this.#more);
    // The listener put as many into the first body as are shown: they stay where they are.
    this.#shown = this.#body.rows.length;
    for (const row of this.#all.slice(0, this.#shown)) finishRow(row);
    for (const body of later) body.remove();
    this.#tellMore();
  }

  get all(): readonly Row[] {
    return this.#all;
  }

  /** What the filter leaves, in the order that is shown. */
  get matches(): readonly Row[] {
    return this.#matches;
  }

  sort(sort: Sort): void {
    this.#all = sorted(this.#all, sort, (row) => row);
    this.filter(this.#holds);
  }

  filter(holds: (row: Row) => boolean): void {
    this.#holds = holds;
    this.#matches = this.#all.filter(holds);
    this.#show();
  }

  /** Puts the focus on a row, which may be one that is not in the page yet. */
  focus(row: Row): void {
    const at = this.#matches.indexOf(row);
    if (at >= this.#shown) this.#append(at + 1);
    row.link.focus();
  }

  #show(): void {
    this.#body.replaceChildren();
    this.#shown = 0;
    this.#append(ROWS_SHOWN);
  }

  #append(to: number): void {
    const rows = this.#matches.slice(this.#shown, to);
    const added = document.createDocumentFragment();
    for (const row of rows) {
      finishRow(row);
      added.append(row.element);
    }
    this.#body.append(added);
    this.#shown += rows.length;
    this.#tellMore();
  }

  #tellMore(): void {
    this.#more.hidden = this.#shown === this.#matches.length;
    this.#count.textContent = `${this.#shown.toLocaleString('en')} of ${this.#matches.length.toLocaleString('en')} are shown.`;
  }
}
