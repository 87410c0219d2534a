/** What the folder says of itself, under its listing. */
import { make, part } from './make.js';
import type { Row } from './rows.js';
import { textView } from './text-view.js';

const NAMES = ['readme.md', 'readme.markdown', 'readme.txt', 'readme'];

/** Shows the folder's README, if it has one that can be had. */
export async function showReadme(rows: readonly Row[]): Promise<void> {
  const files = new Map(rows.filter(({ kind }) => kind === 'text').map((row) => [row.name.toLowerCase(), row]));
  const row = NAMES.map((name) => files.get(name)).find((each) => each !== undefined);
  if (!row || row.size === 0) return;
  // The listing is whole without it.
  const view = await textView(row).catch(() => undefined);
  if (!view) return;
  const title = make('h2', { id: 'readme-title', textContent: row.name });
  const section = make('section', { id: 'readme' }, title, make('div', {}, view.content));
  section.setAttribute('aria-labelledby', title.id);
  if (view.note) section.append(make('p', { textContent: view.note }));
  part('list').parentElement?.append(section);
}
