/** In what order a listing shows its entries: one rule, for the listener and for the script of its page. */

export type SortColumn = 'name' | 'size' | 'time';

export interface Sort {
  readonly by: SortColumn;
  readonly descending: boolean;
}

/** What the order of an entry hangs on. */
export interface Sortable {
  readonly name: string;
  readonly folder: boolean;
  /** Bytes; -1 where it has none that is known. */
  readonly size: number;
  /** -1 where it is not known. */
  readonly timeMs: number;
}

const COLUMNS: readonly string[] = ['name', 'size', 'time'] satisfies SortColumn[];

/** The order that `?sort=name|size|time&order=asc|desc` asks for; by name, ascending, for whatever else it says. */
export function sortFromQuery(query: string): Sort {
  const fields = new URLSearchParams(query);
  const by = fields.get('sort') ?? '';
  return {
    by: COLUMNS.includes(by) ? (by as SortColumn) : 'name',
    descending: fields.get('order') === 'desc',
  };
}

/** The order that the head of a column asks for next: the biggest and the newest are looked for before their opposites. */
export function nextOrder(column: SortColumn, { by, descending }: Sort): 'asc' | 'desc' {
  return (by === column ? descending : column === 'name') ? 'asc' : 'desc';
}

/** Text in which case and accents make no difference. */
export function foldCase(text: string): string {
  const lower = text.toLowerCase();
  // Letters without marks are told at once, and most names hold no other.
  return /^[\0-\x7f]*$/.test(lower) ? lower : lower.normalize('NFKD').replace(/\p{M}+/gu, '');
}

/** What a name is sorted by: runs of digits compare by their value, since each is led by its length. */
function nameKey(name: string): string {
  const folded = foldCase(name);
  let key = '';
  let done = 0;
  // By hand, in a third of the time that an expression takes.
  for (let at = 0; at < folded.length; at += 1) {
    if (!isDigit(folded, at)) continue;
    let end = at + 1;
    while (isDigit(folded, end)) end += 1;
    let first = at;
    while (first < end - 1 && folded[first] === '0') first += 1;
    key += `${folded.slice(done, at)}0${String.fromCharCode(end - first)}${folded.slice(first, end)}`;
    done = end;
    at = end;
  }
  return done === 0 ? folded : key + folded.slice(done);
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

interface Keyed<Row> {
  readonly row: Row;
  readonly name: string;
  readonly key: string;
  readonly folder: boolean;
  readonly amount: number;
}

/**
 * The rows in order: folders first, then by the column, then by name. Two names are never equal, so the same rows always
 * come in the same order.
 */
export function sorted<Row>(rows: readonly Row[], { by, descending }: Sort, describe: (row: Row) => Sortable): Row[] {
  const keyed = rows.map((row): Keyed<Row> => {
    const { name, folder, size, timeMs } = describe(row);
    return { row, name, key: nameKey(name), folder, amount: by === 'size' ? size : by === 'time' ? timeMs : 0 };
  });
  const [amountSign, nameSign] = descending ? [-1, by === 'name' ? -1 : 1] : [1, 1];
  keyed.sort((a, b) => {
    if (a.folder !== b.folder) return a.folder ? -1 : 1;
    return amountSign * (a.amount - b.amount) || nameSign * compareNames(a, b);
  });
  return keyed.map(({ row }) => row);
}

function compareNames(a: Keyed<unknown>, b: Keyed<unknown>): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
