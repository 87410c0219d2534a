/** The one check that each request passes, whatever its method and its target, before anything else looks at it. */
import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import { AllowedAddresses } from '../../../../listening/allowed-addresses.js';
import { type Host, HostNames, hostOf, parseHost, sameHost } from './host-names.js';
import { Lifetime } from './lifetime.js';
import { type Login, Logins } from './logins.js';
import type { AccessOptions } from './options.js';
import { isForeign } from './origin.js';
import { Prefix } from './prefix.js';

/** `read` changes nothing; all that is no plain reading is a `write`. */
type Action = 'read' | 'write';

const READING: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface Admitted {
  /** What of the target is left for the share. */
  readonly target: string;
  /** Who is logged in. */
  readonly user?: string;
}

export interface Refused {
  readonly status: number;
  readonly fields?: Record<string, string>;
  /** What whoever shares can do about it. */
  readonly advice?: string;
}

/** Where a request goes: an origin-form target (RFC 9112, 3.2.1) on a host. */
interface Place {
  readonly host: Host | undefined;
  readonly target: string;
}

const NOT_FOUND: Refused = { status: 404 };
const CHALLENGE = { 'WWW-Authenticate': 'Basic realm="xfer", charset="UTF-8"' };
const RETRY_SOON = { 'Retry-After': '10' };

export class Gate {
  readonly prefix: Prefix;
  readonly lifetime: Lifetime;
  readonly #addresses: AllowedAddresses | undefined;
  readonly #hosts: HostNames;
  readonly #logins: Logins | undefined;
  readonly #loginFor: 'everything' | 'writes';

  /** `bound` are the names that the listener was told to bind; `onlyOnce` as in `Lifetime`. USAGE for options that are not right. */
  constructor(options: AccessOptions, bound: readonly string[] = [], onlyOnce?: string) {
    this.prefix = new Prefix(options.basePath, options.token);
    this.#addresses = options.allow && new AllowedAddresses(options.allow);
    this.#hosts = new HostNames(options.allowHosts ?? [], bound, hostname());
    this.#logins = options.accounts && new Logins(options.accounts);
    this.#loginFor = options.loginFor ?? 'everything';
    this.lifetime = new Lifetime(options, onlyOnce);
  }

  /** Whether anything is read from an address at all. */
  mayConnect(address: string | undefined): boolean {
    return this.#addresses?.allows(address) ?? true;
  }

  /**
   * Whether a request goes on: at once where no login is to be compared. What is refused tells nothing of what is shared,
   * nor whether it is there.
   */
  check(request: IncomingMessage): Admitted | Refused | Promise<Admitted | Refused> {
    const place = this.#placeHere(request);
    if ('status' in place) return place;
    const { host } = place;
    const target = this.#below(request, place.target);
    if (target === undefined) return NOT_FOUND;
    const action: Action = READING.has(request.method) ? 'read' : 'write';
    if (action === 'write' && isForeign(request.headers, host)) return { status: 403 };
    const login = this.#login(request, action);
    return login instanceof Promise
      ? login.then((outcome) => this.#admit(target, outcome))
      : this.#admit(target, login);
  }

  /** How a request is refused that names a host which is not this one; undefined where it names none other. */
  refusesHost(request: IncomingMessage): Refused | undefined {
    const place = this.#placeHere(request);
    return 'status' in place ? place : undefined;
  }

  #placeHere(request: IncomingMessage): Place | Refused {
    const place = placeOf(request);
    if ('status' in place || !place.host || this.#hosts.allows(place.host)) return place;
    return misdirected(place.host);
  }

  #admit(target: string | { readonly location: string }, login?: Login): Admitted | Refused {
    if (login === 401) return { status: 401, fields: CHALLENGE };
    if (login === 429) return { status: 429, fields: RETRY_SOON };
    if (this.lifetime.isOver()) return { status: 410, fields: { Connection: 'close' } };
    if (typeof target !== 'string') return { status: 308, fields: { Location: target.location } };
    return login ? { target, user: login.user } : { target };
  }

  /** Ends what goes on without a request. */
  close(): void {
    this.lifetime.close();
    this.#logins?.close();
  }

  /** `OPTIONS *` is about the listener as a whole, which without the token is not there. */
  #below(request: IncomingMessage, target: string): ReturnType<Prefix['strip']> {
    if (target !== '*' || request.method !== 'OPTIONS') return this.prefix.strip(target);
    return this.prefix.secret ? undefined : target;
  }

  #login({ headers, socket }: IncomingMessage, action: Action) {
    if (!this.#logins || (action === 'read' && this.#loginFor === 'writes')) return undefined;
    return this.#logins.check(headers.authorization, socket.remoteAddress ?? '');
  }
}

/** 400 where the target, or the Host field, is malformed, or the two do not agree (RFC 9112, 3.2). */
function placeOf(request: IncomingMessage): Place | Refused {
  const host = hostOf(request);
  const raw = request.url ?? '';
  if (host === 400) return { status: 400 };
  if (raw.startsWith('/')) return { host, target: raw };
  const [start, scheme, authority] = /^(https?):\/\/([^/?#]*)/i.exec(raw) ?? [];
  if (start === undefined) return raw === '*' ? { host, target: raw } : { status: 400 };
  const named = parseHost(authority as string);
  if (!named || (host && !sameHost(named, host, (scheme as string).toLowerCase()))) return { status: 400 };
  const rest = raw.slice(start.length);
  return { host: named, target: rest.startsWith('/') ? rest : `/${rest}` };
}

function misdirected({ name }: Host): Refused {
  return { status: 421, advice: `This server does not go by that name. Whoever runs it can add: --allow-host ${name}` };
}
