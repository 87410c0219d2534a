/** Where that is allowed each row has a button that renames or removes what it stands for. The listener does it, by a form. */
import { iconButton, labelled, make, part } from './make.js';

export function canChange(): boolean {
  return document.documentElement.dataset.manage !== undefined;
}

/** Takes the form away that does the same without a script. */
export function addChanges(): void {
  document.getElementById('manage')?.remove();
}

export function changeButton(link: HTMLAnchorElement, shown: string, folder: boolean): HTMLButtonElement {
  const button = iconButton('', `Rename or delete ${shown}`, () => ask(link, shown, folder));
  button.removeAttribute('id');
  button.classList.add('change');
  return button;
}

/** The name as the link has it, percent-encoded: a form would change a line break in it, and holds nothing but text. */
function encodedName({ pathname }: HTMLAnchorElement): string {
  return pathname.replace(/\/$/, '').replace(/^.*\//, '');
}

/** As it is, or as it is shown where it is no text. */
function readableName(encoded: string, shown: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return shown;
  }
}

function ask(link: HTMLAnchorElement, shown: string, folder: boolean): void {
  const encoded = encodedName(link);
  const name = readableName(encoded, shown);
  const field = make('input', { name: 'to', value: name, required: true, maxLength: 255, autocomplete: 'off' });
  const title = make('h2', { id: 'change-title', textContent: name });
  const what = folder ? 'Delete the folder and all that is in it' : 'Delete the file';
  const cancel = make('button', { type: 'button', className: 'button', textContent: 'Cancel' });
  const dialog = make(
    'dialog',
    { id: 'change' },
    title,
    form('rename', encoded, make('label', {}, 'New name ', field), submit('Rename')),
    form('remove', encoded, submit(what)),
    cancel,
  );
  cancel.addEventListener('click', () => dialog.close());
  dialog.setAttribute('aria-labelledby', title.id);
  dialog.addEventListener('close', () => dialog.remove());
  part('list').after(dialog);
  dialog.showModal();
  field.select();
}

function form(action: string, encoded: string, ...children: Node[]): HTMLFormElement {
  const hidden = [['action', action] as const, ['link', encoded] as const].map(([field, value]) =>
    make('input', { type: 'hidden', name: field, value }),
  );
  return make('form', { method: 'post', className: action }, ...hidden, ...children);
}

function submit(text: string): HTMLButtonElement {
  return labelled(make('button', { className: 'button', textContent: text }), text);
}
