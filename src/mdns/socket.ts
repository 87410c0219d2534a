/** Opens multicast DNS (RFC 6762). */
import type { MulticastDNS } from 'multicast-dns';
import type { MdnsPlace } from './options.js';

/** A socket that is not open yet; to be destroyed. */
export async function makeSocket({ interface: only, port }: MdnsPlace): Promise<MulticastDNS> {
  const { default: makeMdns } = await import('multicast-dns');
  const mdns = makeMdns({
    ...(port === undefined ? {} : { port }),
    // A socket that is bound to an interface's address is given no multicast by some systems.
    ...(only === undefined ? {} : { interface: only, bind: '0.0.0.0' }),
  });
  // One interface of several that cannot take part is no fault.
  mdns.on('warning', () => undefined);
  return mdns;
}

/** Rejects with what the system says where it cannot be opened. */
export function isReady(mdns: MulticastDNS): Promise<void> {
  return new Promise((resolve, reject) => {
    mdns.once('ready', resolve);
    // It tells one error twice, and of later ones nobody has to know.
    mdns.on('error', reject);
  });
}
