/** What a server sends before its answer, or in the place of one, and nobody asked for. */
import type { ClientRequest, InformationEvent } from 'node:http';
import { XferError } from '../../../errors.js';

/** Interim answers: a server that stays busy for hours sends one every few seconds at most. */
const MOST_INTERIM = 10_000;

/** Gives each interim answer to `take`. Without end they are PROTOCOL, by which the request is destroyed. */
export function onInterim(outgoing: ClientRequest, what: string, take: (interim: InformationEvent) => void): void {
  let count = 0;
  outgoing.on('information', (interim) => {
    count += 1;
    if (count <= MOST_INTERIM) take(interim);
    else outgoing.destroy(new XferError('PROTOCOL', `${what}: interim answers come without end`));
  });
}

/** Tells of a 101. Without a listener Node ends such a request with neither an answer nor an error. */
export function onSwitch(outgoing: ClientRequest, what: string, tell: (error: XferError) => void): void {
  outgoing.on('upgrade', (_response, socket) => {
    socket.destroy();
    tell(new XferError('PROTOCOL', `${what}: the server goes over to another protocol`));
  });
}
