/** Comes to the end that waits, where its address is known or where it has to be found first. */
import type { Scope } from '../../../transport.js';
import type { TcpAddress } from '../options.js';
import { call, type Greeted, placeLabel } from './call.js';
import type { Hello } from './messages.js';
import type { SealedOptions } from './options.js';

/** `call`; with `find`, of the places that it tries. Rejects as they do. */
export function reach(
  addresses: readonly TcpAddress[],
  label: string,
  hello: Hello,
  options: SealedOptions,
  scope: Scope,
): Promise<Greeted> {
  if (!options.find) return call(addresses, label, hello, options, scope);
  const attempt = (places: readonly TcpAddress[]) => {
    const [first] = places;
    return call(places, first ? placeLabel(first) : label, hello, options, scope);
  };
  return options.find(attempt, scope);
}
