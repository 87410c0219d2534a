/** Which machine a sealed transfer is with. */
import { XferError } from '../../../errors.js';
import type { Location } from '../../../location.js';
import type { TcpAddress } from '../../../transports/tcp/options.js';
import type { ParsedArguments } from '../../parsed-arguments.js';
import { checkEnd, parseEnd } from '../ends.js';
import { parseAddresses } from './addresses.js';
import { checkSealed } from './mode.js';

export interface SealedTarget {
  readonly to: Location;
  /** More addresses of the same machine. */
  readonly others: readonly TcpAddress[];
}

export interface SplitOperands {
  /** The address or the port; absent where the other end is to be found. */
  readonly end: string | undefined;
  readonly rest: readonly string[];
}

/** What is an address, and what a path: with --announce the port may be left out, and with --find the address is. USAGE. */
export function splitOperands(parsed: ParsedArguments): SplitOperands {
  const [first, ...rest] = parsed.operands;
  if (parsed.flag('find')) {
    checkFinding(parsed);
    return { end: undefined, rest: parsed.operands };
  }
  if (parsed.flag('announce') && !/^(?:\S*:)?\d+$/.test(first ?? '')) return { end: '0', rest: parsed.operands };
  return { end: first as string, rest };
}

function checkFinding(parsed: ParsedArguments): void {
  const name = parsed.last('announce', 'listen', 'unix');
  if (name !== undefined) {
    throw new XferError('USAGE', `option --find: not with --${name}`, {
      hint: 'one end waits, with --announce, and the other finds it',
    });
  }
  checkEnd(parsed, false, false);
}

/**
 * As `parseEnd`, and a list of addresses, as xfer prints them; nowhere where the end is to be found. USAGE where it is none,
 * or an option goes with plain bytes only.
 */
export function parseSealedEnd(text: string | undefined, parsed: ParsedArguments, portWaits = false): SealedTarget {
  checkSealed(parsed);
  if (text === undefined) return { to: { scheme: 'tcp', path: 'found' }, others: [] };
  if (!text.includes(',') || parsed.flag('unix') || text.includes('/')) {
    return { to: parseEnd(text, parsed, portWaits), others: [] };
  }
  const [first, ...others] = parseAddresses(text) as [TcpAddress, ...TcpAddress[]];
  const written = first.host.includes(':') ? `[${first.host}]:${first.port}` : `${first.host}:${first.port}`;
  return { to: parseEnd(written, parsed, portWaits), others };
}
