/** Makes the plain page comfortable. Runs before the rows are there, and again when they are. */
import { addFilter } from './filter.js';
import { addArrowKeys } from './keys.js';
import { make, part } from './make.js';
import { addPreviews } from './preview.js';
import { showReadme } from './readme.js';
import { finishRows, type Row, readRows } from './rows.js';
import { addSorting } from './sort.js';
import { addThemeSwitch } from './theme.js';

addThemeSwitch();
linkArchives();
const filter = addFilter();
addArrowKeys(filter.field);
document.addEventListener('DOMContentLoaded', begin);

function begin(): void {
  const body = part<HTMLTableSectionElement>('rows');
  let rows: readonly Row[] = readRows(body);
  const late = document.getElementById('late-summary');
  if (late) {
    part('summary').textContent = late.textContent;
    late.remove();
  }
  addSorting(
    () => rows,
    (inOrder) => {
      rows = inOrder;
      const all = document.createDocumentFragment();
      for (const { element } of rows) all.append(element);
      body.append(all);
    },
  );
  addColumn();
  filter.begin(rows);
  addPreviews(() => rows);
  finishRows(rows);
  void showReadme(rows);
}

/** Links can be copied and given to another program; without a script they are a form. */
function linkArchives(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('#archive button')) {
    const href = `?archive=${button.value}`;
    button.replaceWith(make('a', { className: 'button', href, download: '', textContent: button.textContent }));
  }
}

function addColumn(): void {
  const head = part<HTMLTableElement>('list').tHead?.rows[0];
  head?.append(make('th', { scope: 'col' }, make('span', { className: 'unseen', textContent: 'Download' })));
  // A time is shown in the zone of whoever looks.
  head?.querySelector('small')?.remove();
  document.querySelector('#up td')?.setAttribute('colspan', '4');
}
