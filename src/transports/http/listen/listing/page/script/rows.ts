/** The rows of the table as the script sees them. */
import type { Sortable } from '../../order.js';
import { canChange, changeButton } from './changes.js';
import { labelled, make } from './make.js';

export interface Row extends Sortable {
  readonly element: HTMLTableRowElement;
  readonly link: HTMLAnchorElement;
  /** The class that the listener gave it: `folder`, `image`, `text` and so on. */
  readonly kind: string;
}

/** A row as the listener made it. */
export function readRow(element: HTMLTableRowElement): Row {
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

/** Gives a row its time in the zone of whoever looks, and a link that downloads; once. */
export function finishRow({ element, link, name, folder, timeMs }: Row): void {
  if (element.cells.length > 3) return;
  const time = element.cells[2]?.firstElementChild as HTMLTimeElement | null;
  if (time && timeMs >= 0) {
    time.textContent = shown.format(timeMs);
    time.title = exact.format(timeMs);
  }
  const cell = element.insertCell();
  if (canChange()) cell.append(changeButton(link, name, folder));
  if (folder) return;
  // Made here, and not by the listener, for what follows every link would fetch each file twice.
  const get = make('a', { className: 'icon get', href: downloadHref(link), download: '', title: 'Download' });
  cell.prepend(labelled(get, `Download ${name}`));
}

/** Where a file is got to be kept, whatever the browser could show of it. */
export function downloadHref(link: HTMLAnchorElement): string {
  return `${link.getAttribute('href')}?download`;
}
