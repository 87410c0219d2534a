/** The rows of the table as the script sees them. */
import type { Sortable } from '../../order.js';
import { labelled, make } from './make.js';

export interface Row extends Sortable {
  readonly element: HTMLTableRowElement;
  readonly link: HTMLAnchorElement;
  /** The class that the listener gave it: `folder`, `image`, `text` and so on. */
  readonly kind: string;
}

/** Every row that is there now, in the order of the page. */
export function readRows(body: HTMLTableSectionElement): Row[] {
  return Array.from(body.rows, readRow);
}

function readRow(element: HTMLTableRowElement): Row {
  const [first, second, third] = element.cells;
  const link = first?.firstElementChild as HTMLAnchorElement;
  const time = third?.firstElementChild as HTMLTimeElement | null | undefined;
  return {
    element,
    link,
    kind: element.className,
    name: (link.textContent ?? '').replace(/\/$/, ''),
    folder: element.className === 'folder',
    size: second?.title ? Number.parseInt(second.title, 10) : -1,
    timeMs: time ? Date.parse(time.dateTime) : -1,
  };
}

const shown = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

/** Rows that are finished at once; more of them would be felt. */
const ROWS_AT_ONCE = 500;

/** Gives each row its time in the zone of whoever looks, and a link that downloads; the first rows at once. */
export function finishRows(rows: readonly Row[]): void {
  for (const row of rows.slice(0, ROWS_AT_ONCE)) finish(row);
  if (rows.length > ROWS_AT_ONCE) setTimeout(() => finishRows(rows.slice(ROWS_AT_ONCE)));
}

function finish({ element, link, name, folder, timeMs }: Row): void {
  const time = element.cells[2]?.firstElementChild as HTMLTimeElement | null;
  if (time && timeMs >= 0) {
    time.textContent = shown.format(timeMs);
    time.title = exact.format(timeMs);
  }
  const cell = element.insertCell();
  if (folder) return;
  // Made here, and not by the listener, for what follows every link would fetch each file twice.
  const get = make('a', { className: 'icon get', href: downloadHref(link), download: '', title: 'Download' });
  cell.append(labelled(get, `Download ${name}`));
}

/** Where a file is got to be kept, whatever the browser could show of it. */
export function downloadHref(link: HTMLAnchorElement): string {
  return `${link.getAttribute('href')}?download`;
}
