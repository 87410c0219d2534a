/** The requests that are being answered. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Transfer } from '../../../../transport.js';
import type { AccessRecord } from '../log/access-log.js';
import { parseTarget, type TargetPolicy } from '../target.js';
import { whenEnded } from '../watch-client.js';

/** How many bytes of body a response was given; who sends them counts here. */
export interface Tally {
  bytes: number;
  /** How many bytes of its body a request brought so far; absent where nobody wanted them. */
  received?: number;
  /** Who is logged in. */
  user?: string;
  /** How many there will be, where that is known. */
  totalBytes?: number;
}

/** Each name may be shown, also one that nobody is given. */
const ANY: TargetPolicy = { hidden: true, named: new Set(), platform: 'linux' };

/** Takes a secret out of the text of what is told of a request. */
export type Hide = <Told extends object>(told: Told) => Told;

class UnderWay implements Transfer {
  readonly client: string;
  readonly startMs = performance.now();
  readonly tally: Tally = { bytes: 0 };
  readonly request: IncomingMessage;
  /** As it came: what is looked at later is the part of it below the base path. */
  readonly target: string;
  readonly #hide: Hide;

  constructor(request: IncomingMessage, client: string, hide: Hide) {
    this.request = request;
    this.client = client;
    this.target = request.url ?? '-';
    this.#hide = hide;
  }

  /** What the target points at, decoded where it can be. */
  get path(): string {
    const { url = '' } = this.request;
    const target = parseTarget(url, ANY);
    return this.#hide({ path: typeof target === 'number' ? url : target.path }).path;
  }

  get bytes(): number {
    return this.tally.received ?? this.tally.bytes;
  }

  get incoming(): boolean {
    return this.tally.received !== undefined;
  }

  get totalBytes(): number | undefined {
    return this.tally.totalBytes;
  }
}

export class Transfers {
  readonly #underWay = new Set<UnderWay>();
  readonly #onEnd: readonly ((record: AccessRecord) => void)[];
  readonly #hide: Hide;

  /** Each of `onEnd` is told of a request once, when its response has ended in whatever way. */
  constructor(hide: Hide, ...onEnd: readonly ((record: AccessRecord) => void)[]) {
    this.#hide = hide;
    this.#onEnd = onEnd;
  }

  /** Counts a request from now to the end of its response. */
  begin(request: IncomingMessage, response: ServerResponse, client: string): Tally {
    const one = new UnderWay(request, client, this.#hide);
    this.#underWay.add(one);
    const end = (): void => {
      this.#underWay.delete(one);
      if (this.#onEnd.length > 0) {
        const record = this.#hide(recordOf(one, response));
        for (const tell of this.#onEnd) tell(record);
      }
    };
    whenEnded(request, response, end);
    return one.tally;
  }

  get size(): number {
    return this.#underWay.size;
  }

  /** Bytes of all bodies under way that were handed to their connections so far. */
  get bytes(): number {
    let sum = 0;
    for (const { tally } of this.#underWay) sum += tally.bytes;
    return sum;
  }

  /** Bytes of all bodies that requests under way have brought so far. */
  get received(): number {
    let sum = 0;
    for (const { tally } of this.#underWay) sum += tally.received ?? 0;
    return sum;
  }

  list(): Transfer[] {
    return [...this.#underWay];
  }
}

function recordOf({ request, client, target, startMs, tally }: UnderWay, response: ServerResponse): AccessRecord {
  const { bytes, received, user } = tally;
  const durationMs = performance.now() - startMs;
  const { referer, 'user-agent': userAgent } = request.headers;
  return {
    time: new Date(Date.now() - durationMs),
    client,
    ...(user === undefined ? {} : { user }),
    method: request.method ?? '-',
    target,
    httpVersion: request.httpVersion,
    status: response.statusCode,
    bytes,
    ...(received === undefined ? {} : { received }),
    durationMs: Math.round(durationMs * 1000) / 1000,
    ...(referer === undefined ? {} : { referer }),
    ...(userAgent === undefined ? {} : { userAgent }),
    aborted: !response.writableFinished,
  };
}
