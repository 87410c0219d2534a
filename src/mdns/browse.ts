/** Asks by multicast DNS where a service is. Whoever is in the network can answer anything: an answer is a guess to be proved. */
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResponsePacket } from 'multicast-dns';
import { abortable } from '../concurrency/on-abort.js';
import { toXferError } from '../errors.js';
import { plainAddress } from '../listening/client-address.js';
import type { Scope } from '../transport.js';
import type { MdnsPlace } from './options.js';
import { type Service, typeOf } from './records.js';
import { isReady, makeSocket } from './socket.js';

/** After the first answer, for others to come: which is the right one only the key says. */
const OTHERS_MS = 400;
/** RFC 6762, 5.2: a second before it is asked again, then twice as long each time. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 8000;
/** What one answer may hold, and what is kept of all: more is no service but a flood. */
const MOST_RECORDS = 64;
const MOST_OF_ANSWER = 4;
const MOST_OF_ANSWERER = 8;
const MOST_KEPT = 64;

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Networks that are private (RFC 1918, RFC 4193) or of one link (RFC 3927). */
const PRIVATE: readonly (readonly [address: string, bits: number])[] = [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['fc00::', 7],
];

type Interfaces = ReturnType<typeof networkInterfaces>;

/** The networks that this machine is in, and private ones. */
export function nearNetworks(interfaces: Interfaces = networkInterfaces()): BlockList {
  const near = new BlockList();
  for (const [address, bits] of PRIVATE) near.addSubnet(address, bits, familyOf(address));
  for (const { cidr, internal } of Object.values(interfaces).flatMap((list) => list ?? [])) {
    const [address = '', bits] = cidr?.split('/') ?? [];
    // A link-local address says nothing without the interface.
    if (!internal && isIP(address) !== 0 && !/^fe[89ab]/i.test(address)) {
      near.addSubnet(address, Number(bits), familyOf(address));
    }
  }
  return near;
}

/** Where one answer, which came `from` there, says that services of a type are: there itself, or nearby. */
export function placesOf(
  { answers = [], additionals = [] }: Pick<ResponsePacket, 'answers' | 'additionals'>,
  protocol: Service['protocol'],
  from: string,
  near: BlockList,
): Place[] {
  const records = [...answers, ...additionals].slice(0, MOST_RECORDS);
  const found: Place[] = [];
  for (const record of records) {
    if (record.type !== 'SRV' || !record.name.toLowerCase().endsWith(`.${typeOf({ protocol })}`)) continue;
    const { port, target } = record.data;
    if (!Number.isInteger(port) || port < 1 || port > 65_535 || record.ttl === 0) continue;
    const hosts = records.flatMap((other) =>
      (other.type === 'A' || other.type === 'AAAA') && other.name.toLowerCase() === target.toLowerCase()
        ? [plainAddress(other.data)]
        : [],
    );
    const usable = hosts.filter((host) => host !== from && isNear(host, from, near));
    for (const host of new Set([from, ...usable])) found.push({ host, port });
  }
  return found.slice(0, MOST_OF_ANSWER);
}

function isNear(host: string, from: string, near: BlockList): boolean {
  if (isIP(host) === 0) return false;
  // What only this machine can reach is for this machine alone to say.
  if (isLoopback(host)) return isLoopback(from);
  return near.check(host, familyOf(host));
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^127\./.test(address);
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** What came by now. */
class Heard {
  readonly #places = new Map<string, { readonly place: Place; readonly from: string }>();
  readonly #perAnswerer = new Map<string, number>();
  #seen = 0;

  get isEmpty(): boolean {
    return this.#places.size === 0;
  }

  add(from: string, places: readonly Place[]): void {
    for (const place of places) {
      const name = nameOf(place);
      const known = this.#perAnswerer.get(from) ?? 0;
      if (this.#places.has(name) || known >= MOST_OF_ANSWERER) continue;
      this.#seen += 1;
      if (this.#places.size >= MOST_KEPT && !this.#makeRoom()) continue;
      this.#places.set(name, { place, from });
      this.#perAnswerer.set(from, known + 1);
    }
  }

  /** Each has the same chance to stay, so that who answers first, or most, does not hide the others. */
  #makeRoom(): boolean {
    if (Math.random() * this.#seen >= MOST_KEPT) return false;
    const [name, { from }] = [...this.#places][Math.floor(Math.random() * this.#places.size)] as [
      string,
      { from: string },
    ];
    this.#places.delete(name);
    this.#perAnswerer.set(from, (this.#perAnswerer.get(from) ?? 1) - 1);
    return true;
  }

  /** Of each answerer one, then of each the second, and so on. */
  inTurns(): Place[] {
    const queues = new Map<string, Place[]>();
    for (const { place, from } of this.#places.values()) queues.set(from, [...(queues.get(from) ?? []), place]);
    const turns = Array.from({ length: MOST_OF_ANSWERER }, (_, at) => at);
    return turns.flatMap((at) => [...queues.values()].flatMap((queue) => queue.slice(at, at + 1)));
  }
}

function nameOf({ host, port }: Place): string {
  return `${host} ${port}`;
}

/**
 * Asks for services of a type, again and again, and gives what answered each time: nobody, or whoever was heard soon after
 * the first. Ends when the caller stops asking. Rejects with what the system says of multicast, and the signal's reason.
 */
export async function* browse(
  protocol: Service['protocol'],
  where: MdnsPlace,
  { signal }: Scope,
): AsyncGenerator<readonly Place[], never, void> {
  const mdns = await makeSocket(where);
  const near = nearNetworks();
  let heard = new Heard();
  let wake = () => {};
  mdns.on('response', (response, { address }) => {
    heard.add(plainAddress(address), placesOf(response, protocol, plainAddress(address), near));
    if (!heard.isEmpty) wake();
  });
  try {
    await abortable(isReady(mdns), { signal }).catch((error: unknown) =>
      Promise.reject(toXferError(error, 'find', { hint: 'name the other end as host:port' })),
    );
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const answered = new Promise<void>((resolve) => {
        wake = resolve;
      });
      mdns.query(typeOf({ protocol }), 'PTR');
      if (heard.isEmpty) await withinMs(answered, pauseMs, signal);
      if (!heard.isEmpty) await sleep(OTHERS_MS, undefined, { signal }).catch(() => Promise.reject(signal.reason));
      const places = heard.inTurns();
      heard = new Heard();
      yield places;
    }
  } finally {
    await new Promise<void>((resolve) => mdns.destroy(resolve));
  }
}

async function withinMs(answered: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  try {
    await abortable(Promise.race([answered, sleep(ms, undefined, { signal: stop.signal }).catch(() => {})]), {
      signal,
    });
  } finally {
    stop.abort();
  }
}
