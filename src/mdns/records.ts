/** A listener as records of DNS-based service discovery (RFC 6763). */
import type { QueryOutgoingPacket, ResponseOutgoingPacket } from 'multicast-dns';

export type Record = ResponseOutgoingPacket['answers'][number];
export type Question = QueryOutgoingPacket['questions'][number];

export interface Service {
  /** As a person reads it: one label. */
  readonly name: string;
  /** Of this machine, without `.local`. */
  readonly host: string;
  /** As in `_http._tcp`. */
  readonly protocol: 'http' | 'https' | 'xfer';
  readonly port: number;
  /** IPv4 and IPv6. */
  readonly addresses: readonly string[];
  /** What else is told, as in `path=/`. */
  readonly text?: readonly string[];
}

const SERVICES = '_services._dns-sd._udp.local';
/** A name that is the answer to many questions may be kept long, an address not (RFC 6762, 10). */
const NAME_TTL_SECONDS = 4500;
const HOST_TTL_SECONDS = 120;
const MOST_LABEL_BYTES = 63;

export const typeOf = ({ protocol }: Pick<Service, 'protocol'>): string => `_${protocol}._tcp.local`;
export const instanceOf = (service: Service): string => `${service.name}.${typeOf(service)}`;
export const hostOf = ({ host }: Service): string => `${host}.local`;

/** Text as one label, which holds 63 bytes and, as the package writes it, no dot. */
export function toLabel(text: string, room = MOST_LABEL_BYTES): string {
  let label = text.replaceAll('.', '-');
  while (Buffer.byteLength(label) > room) label = [...label].slice(0, -1).join('');
  return label;
}

/** What is told of the service itself, to be taken back when it ends; `ttl` 0 takes it back. */
export function serviceRecords(service: Service, ttl?: number): Record[] {
  const [type, instance, target] = [typeOf(service), instanceOf(service), hostOf(service)];
  const flush = true;
  return [
    { type: 'PTR', name: type, ttl: ttl ?? NAME_TTL_SECONDS, data: instance },
    {
      type: 'SRV',
      name: instance,
      ttl: ttl ?? HOST_TTL_SECONDS,
      flush,
      data: { port: service.port, target, priority: 0, weight: 0 },
    },
    { type: 'TXT', name: instance, ttl: ttl ?? NAME_TTL_SECONDS, flush, data: [...(service.text ?? [''])] },
  ];
}

/** Where the host is. Never taken back: other programs of this machine may have told the same. */
export function hostRecords(service: Service): Record[] {
  return service.addresses.map((data) => {
    const common = { name: hostOf(service), ttl: HOST_TTL_SECONDS, data };
    return data.includes(':') ? { type: 'AAAA', ...common } : { type: 'A', ...common };
  });
}

export interface Answers {
  readonly answers: Record[];
  readonly additionals: Record[];
}

/** What is to be said to questions, and what will be asked next; no answers where they are about something else. */
export function answersTo(questions: readonly Question[], service: Service): Answers {
  const type = typeOf(service);
  const all: Record[] = [
    ...serviceRecords(service),
    ...hostRecords(service),
    { type: 'PTR', name: SERVICES, ttl: NAME_TTL_SECONDS, data: type },
  ];
  const isAsked = (record: Record): boolean =>
    questions.some(
      (question) =>
        question.name.toLowerCase() === record.name.toLowerCase() &&
        (question.type === record.type || String(question.type) === 'ANY'),
    );
  const answers = all.filter(isAsked);
  const more = answers.some(({ type: answered }) => answered === 'PTR' || answered === 'SRV');
  return {
    answers,
    additionals: more ? all.filter((record) => !answers.includes(record) && record.name !== SERVICES) : [],
  };
}

/** Whether an answer of somebody else gives one of the service's names to another thing. */
export function conflicts(record: Record, service: Service, own: ReadonlySet<string>): boolean {
  const name = record.name.toLowerCase();
  if (record.type === 'A') return name === hostOf(service).toLowerCase() && !own.has(record.data);
  if (record.type !== 'SRV' || name !== instanceOf(service).toLowerCase()) return false;
  const { port, target } = record.data;
  return port !== service.port || target.toLowerCase() !== hostOf(service).toLowerCase();
}
