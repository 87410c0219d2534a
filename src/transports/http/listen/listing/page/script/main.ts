/** Makes the plain page comfortable. Runs before the rows are there, and again when they are. */
import { addChanges } from './changes.js';
import { addFilter, type Filter } from './filter.js';
import { addArrowKeys } from './keys.js';
import { List } from './list.js';
import { make, part } from './make.js';
import { addPreviews } from './preview.js';
import { showReadme } from './readme.js';
import { addSorting } from './sort.js';
import { addThemeSwitch } from './theme.js';

document.documentElement.className = 'scripted';
addThemeSwitch();
if (document.documentElement.dataset.dropBox === undefined) comfort();

function comfort(): void {
  linkArchives();
  const filter = addFilter();
  addArrowKeys(filter.field);
  document.addEventListener('DOMContentLoaded', () => begin(filter));
}

function begin(filter: Filter): void {
  const summary = part('summary');
  const late = document.getElementById('late-summary');
  if (late) {
    summary.textContent = late.textContent;
    late.remove();
  }
  part('bar').hidden = summary.className === 'empty';
  addColumn();
  addChanges();
  const list = new List();
  addSorting(list);
  filter.begin(list);
  addPreviews(list);
  // Where downloads are counted, nothing is fetched that nobody asked for.
  if (document.documentElement.dataset.counted === undefined) void showReadme(list.all);
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
