/** Words for a far login shell, which is one of sh's kind (POSIX.1-2024, "Shell Command Language", 2.2). */

const PLAIN = /^[A-Za-z0-9_./,:=@%+-]+$/;

/** A word that the shell takes as exactly this text. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * A word that the shell expands as a path: `*`, `?` and `[…]` match names, `{a,b}` are both where the shell has braces, `~`
 * and `~user` at its start are a home directory, `\` takes the meaning from what follows it; nothing else means anything.
 * Never an option of a command.
 */
export function shellPath(path: string): string {
  const [home = ''] = /^~[A-Za-z0-9._-]*(?:\/|$)/.exec(path) ?? [];
  const rest = path.slice(home.length);
  const start = home === '' && !rest.startsWith('/') && !rest.startsWith('./') ? './' : '';
  const words = rest.replace(/\\(.)|([*?[\]!{},])|((?:[^\\*?[\]!{},]|\\$)+)/gs, (_, escaped, magic, plain) => {
    return escaped === undefined ? (magic ?? shellWord(plain as string)) : shellWord(escaped as string);
  });
  return home + start + words;
}
