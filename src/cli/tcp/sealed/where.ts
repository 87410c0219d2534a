/** Which machine a sealed transfer is with. */
import type { Location } from '../../../location.js';
import type { TcpAddress } from '../../../transports/tcp/options.js';
import type { ParsedArguments } from '../../parsed-arguments.js';
import { parseEnd } from '../ends.js';
import { parseAddresses } from './addresses.js';

export interface SealedTarget {
  readonly to: Location;
  /** More addresses of the same machine. */
  readonly others: readonly TcpAddress[];
}

/** As `parseEnd`, and a list of addresses, as xfer prints them. USAGE where it is none. */
export function parseSealedEnd(text: string, parsed: ParsedArguments, portWaits = false): SealedTarget {
  if (!text.includes(',') || parsed.flag('unix') || text.includes('/')) {
    return { to: parseEnd(text, parsed, portWaits), others: [] };
  }
  const [first, ...others] = parseAddresses(text) as [TcpAddress, ...TcpAddress[]];
  const written = first.host.includes(':') ? `[${first.host}]:${first.port}` : `${first.host}:${first.port}`;
  return { to: parseEnd(written, parsed, portWaits), others };
}
