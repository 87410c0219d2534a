/** Light or dark: as the system has it, until the person says otherwise. */
import { iconButton } from './make.js';

type Theme = 'dark' | 'light';

const KEY = 'xfer-theme';
const root = document.documentElement;
const system = matchMedia('(prefers-color-scheme: dark)');

/** Shows the theme that was chosen last, and puts the switch into the page. */
export function addThemeSwitch(): void {
  const kept = remembered();
  if (kept) root.dataset.theme = kept;
  const button = iconButton('theme', 'Dark theme', () => {
    choose(current() === 'dark' ? 'light' : 'dark');
    tell(button);
  });
  tell(button);
  system.addEventListener('change', () => tell(button));
  document.body.prepend(button);
}

function tell(button: HTMLButtonElement): void {
  button.setAttribute('aria-pressed', String(current() === 'dark'));
}

function current(): Theme {
  return (root.dataset.theme as Theme | undefined) ?? (system.matches ? 'dark' : 'light');
}

function choose(theme: Theme): void {
  root.dataset.theme = theme;
  // Where the browser keeps nothing, the choice holds for this page.
  try {
    localStorage.setItem(KEY, theme);
  } catch {}
}

function remembered(): Theme | undefined {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'dark' || kept === 'light' ? kept : undefined;
  } catch {
    return undefined;
  }
}
