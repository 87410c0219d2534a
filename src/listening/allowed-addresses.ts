/** Which addresses may connect. */
import { BlockList, isIP, SocketAddress } from 'node:net';
import { XferError } from '../errors.js';
import { plainAddress } from './client-address.js';

/** Bits before the IPv4 address in an IPv6 address that stands for it (RFC 4291, 2.5.5.2). */
const MAPPED_BITS = 96;

export class AllowedAddresses {
  readonly #list = new BlockList();

  /** Of addresses and networks, as in `192.168.1.0/24` and `fd00::/8`. USAGE where one is neither. */
  constructor(networks: readonly string[]) {
    for (const text of networks) this.#add(text);
  }

  #add(text: string): void {
    const [, given, bits] = /^([0-9a-f:.]{2,45})(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
    const version = isIP(given ?? '');
    if (version === 0) throw badNetwork(text);
    const address = version === 6 ? normal(given as string) : (given as string);
    const mapped = version === 6 && isIP(address) === 4;
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    const widest = family === 'ipv4' ? 32 : 128;
    const prefix = bits === undefined ? widest : Number(bits) - (mapped ? MAPPED_BITS : 0);
    if (prefix < 0 || prefix > widest) throw badNetwork(text);
    this.#list.addSubnet(address, prefix, family);
  }

  /** Never an address that is not known any more, because its connection has ended. */
  allows(address: string | undefined): boolean {
    const plain = plainAddress(address ?? '').replace(/%.*$/, '');
    const version = isIP(plain);
    return version !== 0 && this.#list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  }
}

/** An IPv6 address as the system writes it; the IPv4 one that it stands for, where it does. */
function normal(address: string): string {
  return plainAddress(new SocketAddress({ address, family: 'ipv6' }).address);
}

function badNetwork(text: string): XferError {
  return new XferError('USAGE', `allowed address ${text}: not an address or a network`, {
    hint: '--allow 192.168.1.0/24 --allow fd00::/8 --allow 127.0.0.1',
  });
}
