/** The Host field, and the names that are answered to: against DNS rebinding. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { XferError } from '../../../../errors.js';

export interface Host {
  /** In lower case, without the brackets of an IPv6 address. */
  readonly name: string;
  /** As digits, or empty. */
  readonly port: string;
}

const HOST = /^(?:\[([0-9a-f:.]{2,45}(?:%[\w.~-]{1,64})?)\]|([\w.-]{1,255}))(?::(\d{0,5}))?$/i;

/** What a Host field, or the authority of a URL, names (RFC 9110, 7.2); undefined where it is malformed. */
export function parseHost(text: string): Host | undefined {
  const [matched, address, name, port = ''] = HOST.exec(text) ?? [];
  if (matched === undefined || Number(port) > 65535) return undefined;
  if (address !== undefined) return isIP(address) === 6 ? { name: address.toLowerCase(), port } : undefined;
  const plain = (name as string).toLowerCase().replace(/\.$/, '');
  return plain === '' ? undefined : { name: plain, port };
}

/** Whether two of them are one, where a URL of that scheme left its usual port out. */
export function sameHost(a: Host, b: Host, scheme: string): boolean {
  const usual = scheme === 'https' ? '443' : '80';
  return a.name === b.name && (a.port || usual) === (b.port || usual);
}

/** The field that came last, and what it names: most clients of a listener use the same name. */
let last: { readonly text: string; readonly host: Host | 400 } | undefined;

/** The one Host field of a request; undefined where there is none, 400 where there are several or it is malformed. */
export function hostOf({ rawHeaders }: IncomingMessage): Host | 400 | undefined {
  let text: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (text !== undefined) return 400;
    text = rawHeaders[at + 1] as string;
  }
  if (text === undefined) return undefined;
  if (last?.text !== text) last = { text, host: parseHost(text) ?? 400 };
  return last.host;
}

/** Names that a browser can only have got from a person who meant this listener. */
export class HostNames {
  readonly #any: boolean;
  readonly #names: ReadonlySet<string>;
  /** With the dot that stands before them. */
  readonly #endings: readonly string[];
  /** The one that was found last. */
  #allowed: Host | undefined;

  /** `machine` is the name of this machine. USAGE for a name that no Host could hold. */
  constructor(allowed: readonly string[], bound: readonly string[], machine: string) {
    const own = machine.toLowerCase();
    const [first] = own.split('.', 1) as [string];
    const given = allowed.map(allowedName);
    const isEnding = (name: string): boolean => name.startsWith('*.');
    this.#any = given.includes('*');
    this.#endings = ['.localhost', ...given.filter(isEnding).map((name) => name.slice(1))];
    const names = ['localhost', own, first, `${first}.local`, ...bound.map((name) => name.toLowerCase()), ...given];
    this.#names = new Set(names.filter((name) => name !== '' && !name.includes('*')));
  }

  allows(host: Host): boolean {
    if (host === this.#allowed) return true;
    const { name } = host;
    const answered = this.#any || this.#names.has(name) || isIP(name) !== 0;
    if (!answered && !this.#endings.some((ending) => name.endsWith(ending))) return false;
    this.#allowed = host;
    return true;
  }
}

function allowedName(text: string): string {
  const name = text.toLowerCase();
  if (name === '*' || parseHost(name.replace(/^\*\./, ''))?.port === '') return name.replace(/\.$/, '');
  throw new XferError('USAGE', `allowed host ${text}: not a name`, { hint: '--allow-host files.example.org' });
}
