/** Cookies of a file as browsers and curl write it (Netscape's format), and those that answers set during a run (RFC 6265). */
import { XferError } from '../../../errors.js';
import { httpDate } from '../validator.js';

const MOST_COOKIES = 3000;
const LONGEST_COOKIE = 4096;

interface Cookie {
  readonly domain: string;
  readonly subdomains: boolean;
  readonly path: string;
  readonly secure: boolean;
  readonly expiresMs: number | undefined;
  readonly name: string;
  readonly value: string;
}

export class CookieJar {
  readonly #cookies = new Map<string, Cookie>();
  #changes = 0;

  constructor(cookies: readonly Cookie[] = []) {
    for (const cookie of cookies) this.#keep(cookie);
  }

  /** Grows with each cookie that an answer sets: a redirect to the same place is no circle then. */
  get changes(): number {
    return this.#changes;
  }

  /** The Cookie field for a URL, or undefined. Longer paths come first (RFC 6265, 5.4). */
  fieldFor(url: URL, nowMs = Date.now()): string | undefined {
    const fitting = [...this.#cookies.values()].filter((cookie) => fits(cookie, url, nowMs));
    fitting.sort((a, b) => b.path.length - a.path.length);
    return fitting.length === 0 ? undefined : fitting.map(({ name, value }) => `${name}=${value}`).join('; ');
  }

  /**
   * Keeps what an answer sets, for its own host alone, whatever domain it asks for: which domains have many owners nobody
   * here knows. A secure one is taken over an encrypted line alone.
   */
  take(url: URL, fields: readonly string[] = [], nowMs = Date.now()): void {
    for (const field of fields.slice(0, 50)) {
      const cookie = field.length <= LONGEST_COOKIE ? parseSetCookie(field, url, nowMs) : undefined;
      if (!cookie || (cookie.secure && url.protocol !== 'https:')) continue;
      this.#changes += 1;
      this.#keep(cookie);
    }
  }

  #keep(cookie: Cookie): void {
    const key = `${cookie.domain}\n${cookie.path}\n${cookie.name}`;
    if (this.#cookies.size < MOST_COOKIES || this.#cookies.has(key)) this.#cookies.set(key, cookie);
  }
}

function fits({ domain, subdomains, path, secure, expiresMs }: Cookie, url: URL, nowMs: number): boolean {
  if (expiresMs !== undefined && expiresMs <= nowMs) return false;
  if (secure && url.protocol !== 'https:') return false;
  const host = hostOf(url);
  if (host !== domain && !(subdomains && host.endsWith(`.${domain}`))) return false;
  const under = path.endsWith('/') ? path : `${path}/`;
  return url.pathname === path || url.pathname.startsWith(under);
}

function hostOf(url: URL): string {
  return url.hostname.toLowerCase();
}

function parseSetCookie(field: string, url: URL, nowMs: number): Cookie | undefined {
  const [pair = '', ...attributes] = field.split(';');
  const equals = pair.indexOf('=');
  const name = pair.slice(0, Math.max(equals, 0)).trim();
  const value = pair.slice(equals + 1).trim();
  if (!isSendable(name, value)) return undefined;
  const named = new Map(
    attributes.map((attribute) => {
      const [key = '', ...rest] = attribute.split('=');
      return [key.trim().toLowerCase(), rest.join('=').trim()] as const;
    }),
  );
  const asked = named.get('path') ?? '';
  const maxAge = named.get('max-age');
  const lasts = maxAge !== undefined && /^-?[0-9]{1,10}$/.test(maxAge) ? nowMs + Number(maxAge) * 1000 : undefined;
  return {
    domain: hostOf(url),
    subdomains: false,
    path: asked.startsWith('/') ? asked : url.pathname.slice(0, Math.max(1, url.pathname.lastIndexOf('/'))),
    secure: named.has('secure'),
    expiresMs: lasts ?? httpDate(named.get('expires')?.replace(/-/g, ' ')),
    name,
    value,
  };
}

/** Nothing that would end the field, or begin another cookie in it. */
function isSendable(name: string, value: string): boolean {
  return name !== '' && /^[\x21-\x3a\x3c\x3e-\x7e]+$/.test(name) && /^[\x20-\x3a\x3c-\x7e\x80-\xff]*$/.test(value);
}

/**
 * Reads a file of cookies: seven fields with tabs between them a line, `#HttpOnly_` before the domain of some. USAGE where a
 * line is none, by its number, as what is in it is secret.
 */
export function parseCookies(text: string, file: string): CookieJar {
  const cookies: Cookie[] = [];
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    const given = line.replace(/^#HttpOnly_/, '');
    if (given.trim() === '' || given.startsWith('#')) continue;
    const [domain = '', subdomains, path = '', secure, expires = '', name = '', value = ''] = given.split('\t');
    const whole = domain !== '' && path.startsWith('/') && /^[0-9]{1,15}$/.test(expires) && isSendable(name, value);
    if (!whole) {
      throw new XferError('USAGE', `cookies ${file}: line ${at + 1} is no cookie in Netscape's format`, {
        hint: 'have the browser, or curl -c, write it anew; a single cookie can be given as --header',
      });
    }
    cookies.push({
      domain: domain.replace(/^\./, '').toLowerCase(),
      subdomains: subdomains?.toUpperCase() === 'TRUE',
      path,
      secure: secure?.toUpperCase() === 'TRUE',
      expiresMs: expires === '0' ? undefined : Number(expires) * 1000,
      name,
      value,
    });
  }
  return new CookieJar(cookies);
}
