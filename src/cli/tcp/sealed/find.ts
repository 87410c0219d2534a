/** `--find`: asks the network who waits, and lets the key say which of them is the right one. */
import { throwIfAborted, toXferError, XferError } from '../../../errors.js';
import type { TcpAddress } from '../../../transports/tcp/options.js';
import type { SealedOptions } from '../../../transports/tcp/sealed/options.js';
import type { ParsedArguments } from '../../parsed-arguments.js';
import type { Report } from '../../render/report.js';
import type { Surroundings } from '../../surroundings.js';
import { describeAddress } from '../tcp-options.js';

/** Of those that are passed over, so many are told of. */
const MOST_TOLD = 5;
/** These are said by one that holds the key, or by this machine. */
const FINAL: readonly string[] = ['UNSUPPORTED', 'USAGE', 'INTERNAL'];

/**
 * Asks until one that holds the key answers, or as often as --retry says. Rejects with UNREACHABLE where nobody answered,
 * with DENIED where those that did do not hold the key, and with the signal's reason.
 */
export function finder(
  parsed: ParsedArguments,
  around: Surroundings,
  report: Report,
): NonNullable<SealedOptions['find']> {
  const rounds = (parsed.wholeNumber('retry', 0) ?? Number.POSITIVE_INFINITY) + 1;
  return async (attempt, scope) => {
    const { browse } = await import('../../../mdns/browse.js');
    const search = new Search(report);
    for await (const places of browse('xfer', around.mdns ?? {}, scope)) {
      if (places.length === 0) search.nobody();
      else {
        try {
          const greeted = await attempt(places);
          const { host, port } = greeted.address;
          report.tell(`found ${describeAddress(greeted.address)}`, { type: 'found', host, port });
          return greeted;
        } catch (thrown) {
          throwIfAborted(scope.signal);
          search.passOver(places, toXferError(thrown, 'find'));
        }
      }
      if (search.rounds >= rounds) break;
    }
    throw search.failure();
  };
}

/** What was heard so far. */
class Search {
  rounds = 0;
  readonly #report: Report;
  readonly #told = new Set<string>();
  #wrong: XferError | undefined;

  constructor(report: Report) {
    this.#report = report;
  }

  nobody(): void {
    this.rounds += 1;
    if (this.rounds === 1) this.#report.onNotice('nobody answers yet; is the other end waiting, with --announce?');
  }

  /** Throws what no other place would better. */
  passOver(places: readonly TcpAddress[], error: XferError): void {
    if (FINAL.includes(error.code)) throw error;
    this.rounds += 1;
    if (error.code === 'DENIED' || error.code === 'PROTOCOL') this.#wrong = error;
    if (this.#told.has(error.message) || this.#told.size >= MOST_TOLD) return;
    this.#told.add(error.message);
    const several = places.length > 1 ? ` and ${places.length - 1} more` : '';
    this.#report.onNotice(`${error.message}${several}; passed over, looking on`);
  }

  failure(): XferError {
    if (this.#wrong) {
      return new XferError('DENIED', 'find: of the ends that answered none holds this key', {
        hint: 'copy the key again from where xfer printed it',
        cause: this.#wrong,
      });
    }
    return new XferError('UNREACHABLE', 'find: nobody answered', {
      hint: 'start the other end with --announce, in the same network; or name it as host:port',
    });
  }
}
