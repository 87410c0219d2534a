/** Which proxy a request goes by, as the environment says it to curl, wget and most others. */
import { BlockList, isIP } from 'node:net';
import { XferError } from '../../../errors.js';
import { percentBytes } from '../content-disposition.js';

/** The proxies of each scheme, as URLs, and the hosts that are asked without. */
export interface ProxySettings {
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  /** Names, `.domain`, addresses, networks, each perhaps with `:port`, between commas or blanks; `*` for all. */
  readonly none?: string | undefined;
}

export interface HttpProxy {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** For messages, without login. */
  readonly label: string;
  /** Proxy-Authorization. */
  readonly login: string | undefined;
}

/**
 * What the environment says. `HTTP_PROXY` in capitals is not read: a server that runs programs sets it from what a client
 * sends (httpoxy, CVE-2016-5385).
 */
export function proxySettings(env: Readonly<Record<string, string | undefined>>): ProxySettings {
  const all = env.all_proxy || env.ALL_PROXY;
  return {
    http: env.http_proxy || all,
    https: env.https_proxy || env.HTTPS_PROXY || all,
    none: env.no_proxy || env.NO_PROXY,
  };
}

/** The proxy for a URL, or undefined. UNSUPPORTED for one that speaks no HTTP, USAGE for what is none. */
export function proxyFor(url: URL, settings: ProxySettings): HttpProxy | undefined {
  const text = url.protocol === 'https:' ? settings.https : settings.http;
  if (!text || isExcepted(url, settings.none ?? '')) return undefined;
  const full = text.includes('://') ? text : `http://${text}`;
  const parsed = URL.canParse(full) ? new URL(full) : undefined;
  if (!parsed?.hostname)
    throw new XferError('USAGE', `proxy for ${url.protocol}//: what the environment names is no URL`);
  const label = `${parsed.protocol}//${parsed.host}`;
  if (!/^https?:$/.test(parsed.protocol)) {
    throw new XferError('UNSUPPORTED', `proxy ${label}: only proxies of http and https are spoken to`, {
      hint: `go without it: no_proxy=${url.hostname}`,
    });
  }
  const secure = parsed.protocol === 'https:';
  const hasLogin = parsed.username !== '' || parsed.password !== '';
  const login = Buffer.concat([percentBytes(parsed.username), Buffer.from(':'), percentBytes(parsed.password)]);
  return {
    secure,
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: Number(parsed.port) || (secure ? 443 : 80),
    label,
    login: hasLogin ? `Basic ${login.toString('base64')}` : undefined,
  };
}

function isExcepted(url: URL, none: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return none
    .slice(0, 65_536)
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .some((word) => word === '*' || excepts(word.toLowerCase(), host, port));
}

function excepts(word: string, host: string, port: string): boolean {
  const [, bracketed, plain, onlyPort] = /^(?:\[([^\]]*)\]|([^:]*|[^:]*:[^:]*:.*?))(?::([0-9]+))?$/.exec(word) ?? [];
  if (onlyPort !== undefined && onlyPort !== port) return false;
  const name = (bracketed ?? plain ?? '').replace(/^\*?\./, '').replace(/\.$/, '');
  if (name === '') return false;
  const [network = '', bits] = name.split('/', 2);
  if (isIP(host) > 0) return isIP(network) === isIP(host) && contains(network, bits, host);
  return host === name || host.endsWith(`.${name}`);
}

function contains(network: string, bits: string | undefined, host: string): boolean {
  const family = isIP(host) === 6 ? 'ipv6' : 'ipv4';
  const most = family === 'ipv6' ? 128 : 32;
  const prefix = bits === undefined ? most : Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > most) return false;
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return list.check(host, family);
}
