/** The heads of the columns sort the rows where they are. */
import { nextOrder, type Sort, type SortColumn, sorted, sortFromQuery } from '../../order.js';
import { part } from './make.js';
import type { Row } from './rows.js';

/**
 * Takes over the forms in the heads, which would ask the listener. `show` is given the rows in their new order. A listing
 * that came unsorted is sorted now.
 */
export function addSorting(rows: () => readonly Row[], show: (rows: readonly Row[]) => void): void {
  const table = part<HTMLTableElement>('list');
  const sort = (asked: Sort): void => {
    show(sorted(rows(), asked, (row) => row));
    tellHeads(table, asked);
  };
  table.tHead?.addEventListener('submit', (event) => {
    event.preventDefault();
    const [column, button] = partsOf(event.target as HTMLFormElement);
    const query = `?sort=${column.value}&order=${button.value}`;
    sort(sortFromQuery(query));
    // The order holds when the page is loaded again, and can be sent to somebody.
    history.replaceState(null, '', query);
  });
  if ('unsorted' in table.dataset) sort(sortFromQuery(location.search));
}

function tellHeads(table: HTMLTableElement, { by, descending }: Sort): void {
  for (const form of table.tHead?.querySelectorAll('form') ?? []) {
    const [column, button] = partsOf(form);
    const head = form.parentElement as HTMLElement;
    if (column.value === by) head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
    button.value = nextOrder(column.value as SortColumn, { by, descending });
  }
}

/** The column that the form stands for, and the button that asks for an order. */
function partsOf(form: HTMLFormElement): [HTMLInputElement, HTMLButtonElement] {
  const { sort, order } = form.elements as unknown as { sort: HTMLInputElement; order: HTMLButtonElement };
  return [sort, order];
}
