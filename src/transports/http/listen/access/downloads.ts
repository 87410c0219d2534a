/** Downloads that are counted: what one client got whole, in one response or in ranges. */
import { networkOf } from '../../../../listening/client-address.js';
import { Recent } from '../../../../recent.js';
import type { Exchange } from '../exchange.js';
import type { Span } from '../file/ranges.js';
import { whenEnded } from '../watch-client.js';

/** What a response is about to send. */
export interface Part {
  /** Names it, and its version, among all that is served. */
  readonly key: string;
  /** Absent where it is not known: it is whole when the response has ended. */
  readonly size?: number | undefined;
  /** Absent where all of it is sent. */
  readonly spans?: readonly Span[] | undefined;
}

interface Download {
  readonly key: string;
  readonly size: number;
  /** What responses under way are sending. */
  readonly sending: Set<readonly Span[]>;
  /** What went out, in order, nothing of which touches. */
  sent: readonly Span[];
  made: boolean;
}

/** Downloads that were cut and may go on, and pieces of one that are remembered. */
const MOST_CUT = 1000;
const MOST_PIECES = 1000;

const ENDLESS = Number.MAX_SAFE_INTEGER;

/**
 * Lets so many downloads be made and no more. One is made when a response has ended with which all bytes of one version
 * went out to one client; until then it holds a place while any response of it is under way. What one client asks for in
 * ranges that do not overlap is one download; what was cut may go on where it was, and counts once.
 */
export class Downloads {
  readonly #most: number;
  readonly #onUsedUp: () => void;
  readonly #onCut: (() => void) | undefined;
  readonly #downloads = new Map<string, Download[]>();
  readonly #cut = new Recent<Download, Download>({ most: MOST_CUT, onDrop: (download) => this.#forget(download) });
  #made = 0;
  #underWay = 0;

  /** `onCut`: told of a download that was cut, because none can go on, or be begun again. */
  constructor(most: number, onUsedUp: () => void, onCut?: () => void) {
    this.#most = most;
    this.#onUsedUp = onUsedUp;
    this.#onCut = onCut;
  }

  /** Whether a download has begun and not ended. */
  get underWay(): boolean {
    return this.#underWay > 0;
  }

  /**
   * Undefined where the response may be sent; 410 where all were made, 503 where those under way may be the last, and
   * where nobody is left to send it to.
   */
  begin(exchange: Exchange, part: Part): 410 | 503 | undefined {
    const { request, response } = exchange;
    if (request.method !== 'GET') return undefined;
    // The end of a client that has gone was told already.
    if (request.destroyed || response.destroyed) return 503;
    if (this.#made >= this.#most) return 410;
    const key = `${networkOf(request.socket.remoteAddress ?? '')} ${part.key}`;
    const size = part.size ?? ENDLESS;
    const spans = part.spans ?? [{ start: 0, end: size }];
    const own = this.#downloads.get(key) ?? [];
    let download = own.find(({ sending }) => ![...sending].some((others) => overlap(others, spans)));
    if (!download || download.sending.size === 0) {
      if (this.#made + this.#underWay >= this.#most) return this.#onCut ? 410 : 503;
      this.#underWay += 1;
      if (download) this.#cut.delete(download);
      else {
        download = { key, size, sending: new Set(), sent: [], made: false };
        this.#downloads.set(key, [...own, download]);
      }
    }
    download.sending.add(spans);
    whenEnded(request, response, () => this.#end(exchange, download, spans));
    return undefined;
  }

  #end({ response, tally }: Exchange, download: Download, spans: readonly Span[]): void {
    download.sending.delete(spans);
    if (download.made) return;
    const whole = response.writableFinished && (response.statusCode === 200 || response.statusCode === 206);
    const [first] = spans as [Span];
    // A client goes on after what it has, which is never more than was handed to its connection.
    const sent = whole ? spans : [{ start: first.start, end: Math.min(first.start + tally.bytes, first.end) }];
    download.sent = joined([...download.sent, ...sent]).slice(0, MOST_PIECES);
    download.made = whole && isWhole(download);
    if (download.sending.size > 0 && !download.made) return;
    if (download.made) this.#count(download);
    // It holds its place for good.
    else if (this.#onCut) this.#onCut();
    else this.#keep(download);
  }

  #count(download: Download): void {
    this.#underWay -= 1;
    this.#forget(download);
    this.#made += 1;
    if (this.#made >= this.#most) this.#onUsedUp();
  }

  #keep(download: Download): void {
    this.#underWay -= 1;
    this.#cut.set(download, download);
  }

  #forget(download: Download): void {
    const others = (this.#downloads.get(download.key) ?? []).filter((each) => each !== download);
    if (others.length > 0) this.#downloads.set(download.key, others);
    else this.#downloads.delete(download.key);
  }
}

function overlap(some: readonly Span[], others: readonly Span[]): boolean {
  return some.some((a) => others.some((b) => a.start === b.start || (a.start < b.end && b.start < a.end)));
}

/** The same bytes, in order, and in as few spans as they need. */
function joined(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    const last = all.at(-1);
    if (last && span.start <= last.end) all[all.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    else all.push(span);
  }
  return all;
}

function isWhole({ sent, size }: Download): boolean {
  const [first, ...rest] = sent;
  return first !== undefined && rest.length === 0 && first.start === 0 && first.end >= size;
}
