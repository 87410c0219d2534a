/** The name that a host is really meant by (ssh_config.5, CanonicalizeHostname): addresses, suffixes and aliases. */
import { promises as dns } from 'node:dns';
import { XferError } from '../../../errors.js';
import { type AddressFamily, canonicalAddress, looksLikeAddress } from '../host-keys/host-address.js';
import { matchesHostList } from './patterns.js';

/** Looks names up. */
export interface HostResolver {
  /** Whether a name has an address. */
  exists(name: string, family: AddressFamily): Promise<boolean>;
  /** What a name is an alias of in the end; absent where it is none. */
  aliasOf(name: string): Promise<string | undefined>;
}

export interface CanonicalRules {
  readonly canonicalize: 'no' | 'yes' | 'always';
  readonly domains: readonly string[];
  readonly maxDots: number;
  /** Whether a name that no suffix makes known is left as it is. */
  readonly fallbackLocal: boolean;
  /** Which names may be replaced by what they are an alias of. */
  readonly permittedCnames: readonly { readonly source: string; readonly target: string }[];
  readonly family: AddressFamily;
  /** Whether no proxy stands in between, which would look the name up itself. */
  readonly direct: boolean;
}

/**
 * The name to connect to: addresses in their usual spelling, other names in lower case, with the suffix under which they
 * are found. UNREACHABLE where the rules ask for a name that is not found.
 */
export async function canonicalHost(host: string, rules: CanonicalRules, resolver: HostResolver): Promise<string> {
  const address = canonicalAddress(host, rules.family);
  if (address !== undefined) return address;
  if (looksLikeAddress(host)) return host;
  const name = host.toLowerCase();
  if (rules.canonicalize === 'no' || (!rules.direct && rules.canonicalize !== 'always')) return name;
  const found = await qualify(name, rules, resolver);
  if (found !== undefined) return (await follow(found, rules, resolver)) ?? found;
  if (rules.permittedCnames.length === 0) return name;
  if (await resolver.exists(name, rules.family)) return (await follow(name, rules, resolver)) ?? name;
  if (rules.direct) throw notFound(name);
  return name;
}

/** The name with the first suffix under which it is found; undefined where it is left as it is. */
async function qualify(name: string, rules: CanonicalRules, resolver: HostResolver): Promise<string | undefined> {
  if (name.endsWith('.')) {
    if (await resolver.exists(name, rules.family)) return name.slice(0, -1);
  } else {
    if (name.split('.').length - 1 > rules.maxDots) return undefined;
    for (const domain of rules.domains) {
      if (await resolver.exists(`${name}.${domain}.`, rules.family)) return `${name}.${domain}`;
    }
  }
  if (!rules.fallbackLocal) throw notFound(name);
  return undefined;
}

async function follow(name: string, rules: CanonicalRules, resolver: HostResolver): Promise<string | undefined> {
  if (rules.permittedCnames.length === 0) return undefined;
  const alias = (await resolver.aliasOf(name))?.replace(/\.$/, '').toLowerCase();
  if (alias === undefined || alias === name || !/^[a-z0-9](?:[-_a-z0-9]|\.(?!\.))*$/.test(alias)) return undefined;
  const permitted = rules.permittedCnames.some(
    ({ source, target }) => matchesHostList(name, source) && matchesHostList(alias, target),
  );
  return permitted ? alias : undefined;
}

function notFound(name: string): XferError {
  return new XferError('UNREACHABLE', `look up ${name}: no such host`, {
    hint: 'see CanonicalDomains and CanonicalizeFallbackLocal in ssh_config',
  });
}

const MOST_ALIASES = 8;
const LOOKUP_MS = 3000;
/** AddressFamily as Node's look-ups take it. */
export const FAMILIES = { any: 0, inet: 4, inet6: 6 } as const;

/** The system's own look-up; aliases come from its DNS servers, or from these, each `address:port`. */
export function systemResolver(dnsServers?: readonly string[]): HostResolver {
  return {
    exists: (name, family) =>
      dns.lookup(name, { family: FAMILIES[family] }).then(
        () => true,
        () => false,
      ),
    aliasOf: (name) => lastAlias(name, dnsServers),
  };
}

async function lastAlias(name: string, dnsServers?: readonly string[]): Promise<string | undefined> {
  const resolver = new dns.Resolver({ timeout: LOOKUP_MS, tries: 2 });
  if (dnsServers) resolver.setServers(dnsServers);
  let alias: string | undefined;
  for (let step = 0; step < MOST_ALIASES; step++) {
    const [next] = await resolver.resolveCname(alias ?? name).catch(() => []);
    if (next === undefined) return alias;
    alias = next;
  }
  return undefined;
}
