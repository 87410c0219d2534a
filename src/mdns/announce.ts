/** Announces a listener by multicast DNS (RFC 6762) for as long as it runs. */
import { networkInterfaces } from 'node:os';
import type { MulticastDNS, QueryPacket, ResponsePacket } from 'multicast-dns';
import { toXferError, XferError } from '../errors.js';
import type { MdnsOptions } from './options.js';
import {
  answersTo,
  conflicts,
  hostOf,
  hostRecords,
  instanceOf,
  type Service,
  serviceRecords,
  toLabel,
} from './records.js';
import { isReady, makeSocket } from './socket.js';

/** RFC 6762, 8.1 and 8.3: three probes, then the announcement and, a second later, the same again. */
const PROBES = 3;
const PROBE_EVERY_MS = 250;
const AGAIN_AFTER_MS = 1000;
/** A network that many with one name share is none that waits for the tenth. */
const NAME_TRIES = 9;
const LAST_WORDS_MS = 500;
const USUAL_PORT = 5353;

/** What is announced. */
export type Announced = Omit<Service, 'name' | 'host'>;

export interface Announcement {
  /** As it is known now. */
  readonly service: Service;
  /** Takes it back. */
  end(): Promise<void>;
}

/**
 * Announces the service. Resolves when it was told to the network, under a name that nobody else has. Rejects with EXISTS
 * where each name is taken, else with what the network says.
 */
export async function announce(what: Announced, options: MdnsOptions): Promise<Announcement> {
  const mdns = await makeSocket(options);
  try {
    await isReady(mdns);
    const service = await freeService(mdns, what, options);
    return await publish(mdns, service, options.port ?? USUAL_PORT);
  } catch (error) {
    await new Promise<void>((resolve) => mdns.destroy(resolve));
    throw toXferError(error, `announce ${options.name}`);
  }
}

/** The service under the first names of which nobody says that they are his. */
async function freeService(mdns: MulticastDNS, what: Announced, { name, host }: MdnsOptions): Promise<Service> {
  for (let attempt = 1; attempt <= NAME_TRIES; attempt += 1) {
    const [label, hostLabel] =
      attempt === 1 ? [name, host] : [`${toLabel(name, 59)} (${attempt})`, `${toLabel(host, 60)}-${attempt}`];
    const service: Service = { ...what, name: toLabel(label), host: toLabel(hostLabel) };
    if (!(await isTaken(mdns, service))) return service;
  }
  throw new XferError('EXISTS', `announce ${name}: others in the network have that name`);
}

function isTaken(mdns: MulticastDNS, service: Service): Promise<boolean> {
  const own = new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)));
  return new Promise((resolve, reject) => {
    let sent = 0;
    const end = (settle: () => void): void => {
      clearInterval(timer);
      mdns.removeListener('response', look);
      settle();
    };
    const look = ({ answers = [], additionals = [] }: ResponsePacket): void => {
      if ([...answers, ...additionals].some((record) => conflicts(record, service, own))) end(() => resolve(true));
    };
    const probe = (): void => {
      if (sent === PROBES) {
        end(() => resolve(false));
        return;
      }
      sent += 1;
      for (const name of [instanceOf(service), hostOf(service)]) {
        // For records of any type.
        mdns.query(name, (error) => error && end(() => reject(error)));
      }
    };
    const timer = setInterval(probe, PROBE_EVERY_MS);
    mdns.on('response', look);
    probe();
  });
}

async function publish(mdns: MulticastDNS, service: Service, port: number): Promise<Announcement> {
  mdns.on('query', ({ id = 0, questions = [] }: QueryPacket, asker) => {
    const { answers, additionals } = answersTo(questions, service);
    if (answers.length === 0) return;
    if (asker.port === port) mdns.respond({ answers, additionals });
    // A simple resolver listens only where it asked from, and knows its question again (RFC 6762, 6.7).
    else mdns.respond({ id, questions, answers, additionals }, asker);
  });
  const tell = (records: Parameters<MulticastDNS['respond']>[0]): Promise<void> =>
    new Promise((resolve, reject) => {
      mdns.respond(records, (error) => (error ? reject(error) : resolve()));
    });
  const records = [...serviceRecords(service), ...hostRecords(service)];
  await tell(records);
  const again = setTimeout(() => tell(records).catch(() => undefined), AGAIN_AFTER_MS).unref();
  return {
    service,
    end: async () => {
      clearTimeout(again);
      const late = new Promise<void>((resolve) => setTimeout(resolve, LAST_WORDS_MS).unref());
      await Promise.race([tell(serviceRecords(service, 0)).catch(() => undefined), late]);
      await new Promise<void>((resolve) => mdns.destroy(resolve));
    },
  };
}
