/** A listing as a page: plain links in a table, that a script makes comfortable. */
import { lastPart, printable } from '../../../../names.js';
import { counted, readableSize, utcSeconds } from './amounts.js';
import { escapeHtml } from './escape-html.js';
import { hrefOf } from './href.js';
import { mediaKind } from './media-kind.js';
import { nextOrder, type Sort, type SortColumn } from './order.js';
import { ICON, SCRIPT, STYLE, UPLOAD_SCRIPT, UPLOAD_STYLE } from './page/assets.js';
import { ROWS_SHOWN } from './rows-shown.js';
import type { Item, Listed, Shape, Totals } from './shape.js';
import { uploadForms } from './upload-forms.js';

/** Folders above that are shown as links: a deep path must not make a long page. */
const MOST_CRUMBS = 12;

/**
 * No link but those to the entries, the folders above and nothing else: whatever follows every link, as wget does, must
 * neither fetch a file twice nor find an archive of all. What else can be asked for without a script is a form.
 */
export const html: Shape = {
  contentType: 'text/html; charset=utf-8',
  start: pageStart,
  beforeRows: tableStart,
  row: tableRow,
  end: pageEnd,
};

function pageStart({ path, archived, counted: limited, upload }: Listed): string {
  const title = escapeHtml(printable(path === '' ? '/' : `/${path}/`));
  const name = path === '' ? 'Files' : escapeHtml(shown(lastPart(path)));
  return `<!DOCTYPE html>
<html lang="en"${limited ? ' data-counted' : ''}${upload?.manage ? ' data-manage' : ''}><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Index of ${title}</title>
${ICON}
<style>${STYLE}</style>${upload ? `<style>${UPLOAD_STYLE}</style>` : ''}</head>
<body><header id="top">${crumbs(path)}<h1>${name}</h1></header>
<main>${upload ? uploadForms(upload) : ''}<div id="bar">${archived ? ARCHIVE_FORM : ''}
<script>${SCRIPT}</script>${upload ? `<script>${UPLOAD_SCRIPT}</script>` : ''}
`;
}

const ARCHIVE_FORM = `
<form id="archive" aria-label="Download the whole folder"><span class="icon"><span>Download all</span></span>
<button class="button" name="archive" value="zip">.zip</button>
<button class="button" name="archive" value="tar.gz">.tar.gz</button></form>`;

/** The folders above, from the root on. */
function crumbs(path: string): string {
  if (path === '') return '';
  const names = path.split('/').slice(0, -1);
  const from = Math.max(0, names.length - MOST_CRUMBS);
  const links = names
    .slice(from)
    .map((name, index) => `<li><a href="${'../'.repeat(names.length - from - index)}">${escapeHtml(shown(name))}</a>`);
  const left = from > 0 ? '<li>…' : '';
  const root = `<li><a href="${'../'.repeat(names.length + 1)}">Files</a>`;
  return `<nav aria-label="Folders above"><ol>${root}${left}${links.join('')}</ol></nav>`;
}

function tableStart({ path, sort }: Listed, totals: Totals | undefined): string {
  const head = [headCell('Name', 'name', sort), headCell('Size', 'size', sort), headCell('Changed', 'time', sort)];
  const up =
    path === '' ? '' : '<tbody id="up"><tr class="up"><td colspan="3"><a href="../">../</a></td></tr></tbody>\n';
  const summary = totals && isEmpty(totals) ? '' : summaryOf(totals ? totalsText(totals) : 'Reading a large folder…');
  return `${summary}</div>
<table id="list" aria-label="Files and folders"${totals ? '' : ' data-unsorted'}><thead><tr>${head.join('')}</tr></thead>
${up}<tbody id="rows">
`;
}

function summaryOf(text: string, classes = ''): string {
  return `<p id="summary" role="status"${classes}>${text}</p>`;
}

function isEmpty({ folders, files }: Totals): boolean {
  return folders + files === 0;
}

function totalsText({ folders, files, bytes }: Totals): string {
  const parts = [];
  if (folders > 0) parts.push(counted(folders, 'folder'));
  if (files > 0) parts.push(counted(files, 'file'), readableSize(bytes));
  return parts.join(' · ');
}

function headCell(label: string, column: SortColumn, shownSort: Sort): string {
  const { by, descending } = shownSort;
  const sort = by === column ? ` aria-sort="${descending ? 'descending' : 'ascending'}"` : '';
  const zone = column === 'time' ? ' <small>UTC</small>' : '';
  const hidden = `<input type="hidden" name="sort" value="${column}">`;
  return `<th scope="col"${sort}><form>${hidden}<button name="order" value="${nextOrder(column, shownSort)}">${label}${zone}</button></form></th>`;
}

function tableRow(item: Item, index: number): string {
  const { name, kind, size, mtimeMs } = item;
  const body = index === ROWS_SHOWN ? '</tbody><tbody class="later">\n' : '';
  const folder = kind === 'directory';
  const look = folder ? 'folder' : mediaKind(name);
  const sizeCell = size === undefined ? '<td></td>' : `<td title="${size} bytes">${readableSize(size)}</td>`;
  const label = escapeHtml(shown(name)) + (folder ? '/' : '');
  return `${body}<tr class="${look}"><td><a href="${hrefOf(item)}">${label}</a></td>${sizeCell}${timeCell(mtimeMs)}</tr>\n`;
}

/** A name with nothing in it that could turn the text around it; most names hold only what needs no look. */
function shown(name: string): string {
  return /^[ -~]*$/.test(name) ? name : printable(name);
}

let lastSecond = Number.NaN;
let lastCell = '';

/** What is unpacked, copied or built together has few times, so the last one is at hand. */
function timeCell(timeMs: number | undefined): string {
  if (timeMs === undefined) return '<td></td>';
  const second = Math.floor(timeMs / 1000);
  if (second !== lastSecond) {
    const time = utcSeconds(timeMs);
    lastCell = time === undefined ? '<td></td>' : `<td><time datetime="${time}Z">${minutes(time)}</time></td>`;
    lastSecond = second;
  }
  return lastCell;
}

/** `2024-05-01 09:30`. */
function minutes(seconds: string): string {
  return `${seconds.slice(0, -9)} ${seconds.slice(-8, -3)}`;
}

function pageEnd(totals: Totals, told: boolean): string {
  const late = told ? '' : `<p id="late-summary">${totalsText(totals)}</p>\n`;
  const empty = isEmpty(totals) ? `${summaryOf('This folder is empty.', ' class="empty"')}\n` : '';
  return `</tbody></table>\n${late}${empty}</main></body></html>\n`;
}
