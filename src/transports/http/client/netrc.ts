/** Logins by host, from a file as ftp, curl and wget read it (netrc(5)). */

export interface Login {
  readonly user: string;
  readonly password: string;
}

export class Netrc {
  readonly #machines = new Map<string, Login>();
  readonly #anywhere: Login | undefined;

  constructor(machines: ReadonlyMap<string, Login>, anywhere?: Login) {
    for (const [host, login] of machines) this.#machines.set(host.toLowerCase(), login);
    this.#anywhere = anywhere;
  }

  /** The login for a host. That of `default` is for the host that a person named, and for no other. */
  loginFor(host: string, named: boolean): Login | undefined {
    return this.#machines.get(host.toLowerCase()) ?? (named ? this.#anywhere : undefined);
  }
}

/**
 * Reads the text of a netrc: `machine`, `default`, `login`, `password`, `account` and `macdef`, words in quotes as curl takes
 * them. The first entry of a host counts, and a word that has no place is passed over, as curl does.
 */
export function parseNetrc(text: string): Netrc {
  const machines = new Map<string, Login>();
  let anywhere: Login | undefined;
  let fill: ((login: Partial<Login>) => void) | undefined;
  const begin = (store: (login: Login) => void): void => {
    let login: Login = { user: '', password: '' };
    fill = (part) => {
      login = { ...login, ...part };
      store(login);
    };
    fill({});
  };
  const words = wordsOf(text);
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    const value = words[at + 1] ?? '';
    if (word === 'default') {
      begin((login) => {
        anywhere = login;
      });
      continue;
    }
    at += 1;
    if (word === 'machine') {
      const isFirst = !machines.has(value);
      begin((login) => {
        if (isFirst) machines.set(value, login);
      });
    } else if (word === 'login') fill?.({ user: value });
    else if (word === 'password') fill?.({ password: value });
    else if (word !== 'account') at -= 1;
  }
  return new Netrc(machines, anywhere);
}

/** Words between blanks, without comments and the bodies of macros, which end at an empty line. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  const withoutMacros = text.replace(/^[ \t]*macdef[ \t][^\n]*\n(?:[^\n]*\S[^\n]*\n?)*/gm, '\n');
  for (const line of withoutMacros.split(/\r?\n/)) {
    for (const [, quoted, plain = ''] of line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)) {
      if (quoted === undefined && plain.startsWith('#') && words.at(-1) !== 'password') break;
      words.push(quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'));
    }
  }
  return words;
}
