/** A listener's URLs, announced. */
import { lookup } from 'node:dns/promises';
import { XferError } from '../../../errors.js';
import { isLoopbackUrl } from '../../../listening/listener-urls.js';
import { type Announcement, announce } from '../../../mdns/announce.js';
import type { MdnsOptions } from '../../../mdns/options.js';
import { hostOf } from '../../../mdns/records.js';

/** How long this machine may take to find its own name. */
const LOOKUP_MS = 1000;

export interface Announced {
  /** With the name of this machine in it, where this machine can resolve it. */
  readonly urls: readonly string[];
  end(): Promise<void>;
}

const NOTHING: Announced = { urls: [], end: () => Promise.resolve() };

/** Announces what the URLs lead to. Never rejects: what fails is a notice, and nothing is announced then. */
export async function announceListener(
  urls: readonly string[],
  options: MdnsOptions | undefined,
  onNotice: (line: string) => void = () => undefined,
): Promise<Announced> {
  if (!options) return NOTHING;
  const away = urls.filter((url) => options.interface !== undefined || !isLoopbackUrl(url)).map((url) => new URL(url));
  const [first] = away;
  if (!first) {
    onNotice('not announced by mDNS: no other machine can reach this address');
    return NOTHING;
  }
  const protocol = first.protocol === 'https:' ? 'https' : 'http';
  const addresses = away.map(({ hostname }) => hostname.replace(/^\[|\]$/g, ''));
  try {
    const announcement = await announce({ protocol, port: portOf(first), addresses, text: ['path=/'] }, options);
    const url = await urlByName(announcement, first);
    const { name } = announcement.service;
    if (url === undefined) {
      onNotice(
        `announced by mDNS as "${name}" on ${hostOf(announcement.service)}, a name that this machine itself cannot look up`,
      );
    }
    return { urls: url === undefined ? [] : [url], end: announcement.end };
  } catch (error) {
    onNotice(`not announced by mDNS: ${error instanceof XferError ? error.message : String(error)}`);
    return NOTHING;
  }
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** Undefined where this machine does not find itself under its name. */
async function urlByName({ service }: Announcement, like: URL): Promise<string | undefined> {
  const host = hostOf(service);
  const late = new Promise<[]>((resolve) => setTimeout(() => resolve([]), LOOKUP_MS).unref());
  const found = await Promise.race([lookup(host, { all: true }).catch(() => []), late]);
  if (!found.some(({ address }) => service.addresses.includes(address))) return undefined;
  const url = new URL(like);
  url.hostname = host;
  return url.href;
}
