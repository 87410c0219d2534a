/** The arrow keys lead from row to row; Enter opens, as it does for any link. */
import { part } from './make.js';

/** `field` is where the way up from the first row ends, and the way down begins. */
export function addArrowKeys(field: HTMLInputElement): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const target = event.target as HTMLElement;
    const inList = target.closest('#list tbody') !== null;
    const idle = target === document.body;
    if (!inList && !idle && !(target === field && event.key === 'ArrowDown')) return;
    const next = whereTo(event.key, inList ? target : undefined);
    if (next === undefined) return;
    event.preventDefault();
    (next ?? field).focus();
  });
}

/** The link to go to; null where the way leads out of the list at its top, undefined where the key leads nowhere. */
function whereTo(key: string, from: HTMLElement | undefined): HTMLElement | null | undefined {
  const row = from?.closest('tr');
  switch (key) {
    case 'ArrowDown':
      return row ? (step(row, 1) ?? undefined) : links()[0];
    case 'ArrowUp':
      return row ? step(row, -1) : undefined;
    case 'Home':
      return row ? links()[0] : undefined;
    case 'End':
      return row ? links().at(-1) : undefined;
    default:
      return undefined;
  }
}

function links(): HTMLElement[] {
  return Array.from(part('list').querySelectorAll<HTMLElement>('tbody tr > :first-child > a'));
}

/** Row by row, and from body to body: a list of all links would be made anew for each press of a key. */
function step(from: HTMLTableRowElement, by: 1 | -1): HTMLElement | null {
  const onward = (element: Element | null): Element | null | undefined =>
    by > 0 ? element?.nextElementSibling : element?.previousElementSibling;
  const body = onward(from.parentElement);
  const beyond = body?.tagName === 'TBODY' && (by > 0 ? body.firstElementChild : body.lastElementChild);
  return (onward(from) ?? (beyond || null))?.querySelector('a') ?? null;
}
