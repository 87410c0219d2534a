/** Multicast DNS on the loopback interface, on a port of its own. */
import { createSocket } from 'node:dgram';
import type { TestContext } from 'node:test';
import makeMdns, { type MulticastDNS, type ResponseOutgoingPacket, type ResponsePacket } from 'multicast-dns';
import type { MdnsPlace } from '#xfer/mdns/options.js';

const LOOPBACK = '127.0.0.1';

/** A free port, so that neither the machine's own responder nor another test hears it. */
async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

type Records = ResponseOutgoingPacket['answers'];

export interface Neighbour {
  readonly mdns: MulticastDNS;
  /** All records that were told so far. */
  readonly heard: Records;
}

export async function neighbour(t: TestContext, port: number): Promise<Neighbour> {
  const mdns = makeMdns({ port, interface: LOOPBACK, bind: '0.0.0.0' });
  t.after(() => new Promise<void>((resolve) => mdns.destroy(resolve)));
  await new Promise<void>((resolve) => mdns.on('ready', resolve));
  const heard: Records = [];
  mdns.on('response', ({ answers = [], additionals = [] }: ResponsePacket) => heard.push(...answers, ...additionals));
  return { mdns, heard };
}

/** On loopback, on a port of its own. */
export async function ownPlace(): Promise<Required<MdnsPlace>> {
  return { interface: LOOPBACK, port: await freeUdpPort() };
}
