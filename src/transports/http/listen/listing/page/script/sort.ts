/** The heads of the columns sort the rows where they are. */
import { nextOrder, type Sort, type SortColumn, sortFromQuery } from '../../order.js';
import type { List } from './list.js';
import { part } from './make.js';

/** Takes over the forms in the heads, which would ask the listener. A listing that came unsorted is sorted now. */
export function addSorting(list: List): void {
  const table = part<HTMLTableElement>('list');
  const sort = (query: string): void => {
    const asked = sortFromQuery(query);
    list.sort(asked);
    tellHeads(table, asked);
  };
  table.tHead?.addEventListener('submit', (event) => {
    event.preventDefault();
    const [column, button] = partsOf(event.target as HTMLFormElement);
    const query = `?sort=${column.value}&order=${button.value}`;
    sort(query);
    // The order holds when the page is loaded again, and can be sent to somebody.
    history.replaceState(null, '', query);
  });
  if ('unsorted' in table.dataset) sort(location.search);
}

function tellHeads(table: HTMLTableElement, shown: Sort): void {
  for (const form of table.tHead?.querySelectorAll('form') ?? []) {
    const [column, button] = partsOf(form);
    const head = form.parentElement as HTMLElement;
    if (column.value === shown.by) head.setAttribute('aria-sort', shown.descending ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
    button.value = nextOrder(column.value as SortColumn, shown);
  }
}

/** The column that the form stands for, and the button that asks for an order. */
function partsOf(form: HTMLFormElement): [HTMLInputElement, HTMLButtonElement] {
  const { sort, order } = form.elements as unknown as { sort: HTMLInputElement; order: HTMLButtonElement };
  return [sort, order];
}
