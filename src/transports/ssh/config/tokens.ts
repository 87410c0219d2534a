/** What stands for something else in a value of ssh_config: `%h` (ssh_config.5, TOKENS) and `${NAME}`. */
import { createHash } from 'node:crypto';
import { XferError } from '../../../errors.js';
import { expandTilde, type HomeFolders } from './home-folders.js';

export interface TokenSubject {
  /** As it was typed: %n. */
  readonly host: string;
  /** %h */
  readonly hostName: string;
  readonly port: number;
  /** %r */
  readonly user: string;
  /** %u */
  readonly localUser: string;
  /** %d */
  readonly home: string;
  /** %l; %L is its first label. */
  readonly localHost: string;
  /** %k where it is set, else the host as it was typed. */
  readonly hostKeyAlias?: string | undefined;
  /** %j */
  readonly proxyJump?: string | undefined;
}

export type Tokens = Readonly<Record<string, string>>;

/** Letter -> text of the tokens that IdentityFile, UserKnownHostsFile and IdentityAgent take. */
export function clientTokens(subject: TokenSubject): Tokens {
  const { host, hostName, user, localUser, home, localHost } = subject;
  const port = String(subject.port);
  const jump = subject.proxyJump ?? '';
  return {
    C: createHash('sha1').update(`${localHost}${hostName}${port}${user}${jump}`).digest('hex'),
    L: localHost.split('.', 1)[0] as string,
    d: home,
    h: hostName,
    i: String(process.getuid?.() ?? ''),
    j: jump,
    k: subject.hostKeyAlias ?? host,
    l: localHost,
    n: host,
    p: port,
    r: user,
    u: localUser,
  };
}

/** The error where a user's name is needed, none was given, and the person has none on this machine. */
export function namelessUser(what: string): XferError {
  return new XferError('USAGE', `${what}: no user name was given, and who runs xfer has none on this machine`, {
    hint: 'type user@host:path, or set LOGNAME to your name',
  });
}

/** Replaces `%x` by its token. USAGE where there is no such token, or it stands for a name that is not known. */
export function expandPercent(text: string, tokens: Tokens, what: string): string {
  return text.replace(/%(.?)/gs, (_, letter: string) => tokenOf(letter, tokens, what));
}

/** Replaces `%x` and `${NAME}` in one pass, so that neither is looked for in what came out of the other. USAGE. */
export function expandTokens(text: string, tokens: Tokens, environment: NodeJS.ProcessEnv, what: string): string {
  return text.replace(/%(.?)|\$\{([^}]*)(\}?)/gs, (_, letter: string | undefined, name: string, end: string) => {
    if (letter !== undefined) return tokenOf(letter, tokens, what);
    const value = end !== '' && Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value === undefined) throw new XferError('USAGE', `${what}: \${${name}} has no value`);
    return value;
  });
}

function tokenOf(letter: string, tokens: Tokens, what: string): string {
  if (letter === '%') return '%';
  if ((letter === 'u' || letter === 'r') && tokens[letter] === '') throw namelessUser(`${what}: %${letter}`);
  if (Object.hasOwn(tokens, letter)) return tokens[letter] as string;
  throw new XferError('USAGE', `${what}: unknown token %${letter}`);
}

/** Expands paths for one host. */
export class Paths {
  readonly #homes: HomeFolders;
  readonly #tokens: Tokens;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(homes: HomeFolders, tokens: Tokens, environment: NodeJS.ProcessEnv) {
    this.#homes = homes;
    this.#tokens = tokens;
    this.#environment = environment;
  }

  tilde(path: string): string {
    return expandTilde(path, this.#homes);
  }

  full(path: string, keyword: string): string {
    return expandTokens(this.tilde(path), this.#tokens, this.#environment, `${keyword} ${path}`);
  }

  /** The agent's socket; `$NAME` and SSH_AUTH_SOCK name a variable that holds it. */
  agent(value: string | undefined): string | undefined {
    if (value === undefined) return undefined;
    if (value.toLowerCase() === 'none') return 'none';
    const variable = value === 'SSH_AUTH_SOCK' ? value : /^\$(\w+)$/.exec(value)?.[1];
    return variable === undefined ? this.full(value, 'IdentityAgent') : this.#environment[variable] || 'none';
  }

  /** A ProxyCommand, which takes fewer tokens than a path; undefined for `none`. */
  proxy(command: string | undefined): string | undefined {
    if (command === undefined || command.toLowerCase() === 'none') return undefined;
    const { h, k, n, p, r } = this.#tokens as Record<string, string>;
    return expandPercent(command, { h, k, n, p, r } as Tokens, `ProxyCommand ${command}`);
  }

  inSsh(name: string): string {
    return this.tilde(`~/.ssh/${name}`);
  }
}
