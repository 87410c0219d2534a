/** What a sealed end is told by the options, whichever way its bytes go. */
import type { TcpAddress, TcpOptions } from '../../../transports/tcp/options.js';
import type { SealedOptions } from '../../../transports/tcp/sealed/options.js';
import type { ParsedArguments } from '../../parsed-arguments.js';
import type { Report } from '../../render/report.js';
import type { Surroundings } from '../../surroundings.js';
import { tcpOptions } from '../tcp-options.js';
import { Announcing } from './announce.js';
import { finder } from './find.js';
import { findKey } from './key.js';
import { type SealedRole, tellWaiting } from './waiting.js';

export interface SealedEnd {
  readonly options: TcpOptions & SealedOptions;
  /** Takes back what the network was told. */
  end(): Promise<void>;
}

/** Rejects as `findKey` does, and with USAGE where a value is not of its kind. */
export async function sealedEnd(
  role: SealedRole,
  waits: boolean,
  parsed: ParsedArguments,
  around: Surroundings,
  report: Report,
): Promise<SealedEnd> {
  const told = tcpOptions(parsed, report, role);
  const found = await findKey(waits, parsed, around, report);
  const announcing = parsed.flag('announce') ? new Announcing(around, report) : undefined;
  const options = {
    ...told,
    key: found.key,
    onNotice: report.onNotice,
    onListening: (bound: TcpAddress) => {
      tellWaiting(role, bound, found, report, around, announcing !== undefined);
      announcing?.start(bound);
    },
    // Places that are tried are told of when one of them holds the key.
    ...(parsed.flag('find') ? { find: finder(parsed, around, report), onConnection: () => {} } : {}),
  };
  return { options, end: async () => announcing?.end() };
}
