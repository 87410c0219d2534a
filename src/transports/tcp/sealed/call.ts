/** Makes sealed connections to an end that waits for them. */
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { XferError } from '../../../errors.js';
import { describeLocation } from '../../../location.js';
import type { Scope } from '../../../transport.js';
import { connectSocket } from '../connect.js';
import type { TcpAddress } from '../options.js';
import { FRAME } from './frame.js';
import { sealConnected } from './handshake.js';
import { peerRole } from './key.js';
import { Lane } from './lane.js';
import { encodeHello, type Hello } from './messages.js';
import type { SealedOptions } from './options.js';

/** A connection on which both ends have said who they are. */
export interface Greeted {
  readonly lane: Lane;
  readonly hello: Hello;
  /** Which of several addresses answered. */
  readonly address: TcpAddress;
}

/** Before the next address is tried as well (RFC 8305, section 5). */
const NEXT_ADDRESS_MS = 250;

/**
 * One try at each address, until one answers that holds the key. UNREACHABLE, DENIED where the key does not match, PROTOCOL
 * where it is no sealed xfer, or is one that does the same; TIMED_OUT, DISCONNECTED.
 */
export async function call(
  addresses: readonly TcpAddress[],
  label: string,
  hello: Hello,
  options: SealedOptions,
  scope: Scope,
): Promise<Greeted> {
  const stop = new AbortController();
  const signal = AbortSignal.any([scope.signal, stop.signal]);
  const tries: Promise<Greeted>[] = [];
  try {
    for (const address of addresses) {
      const one = callOne(address, addresses.length === 1 ? label : placeLabel(address), hello, options, { signal });
      one.catch(() => {});
      tries.push(one);
      const isLast = addresses.length === tries.length;
      if (!isLast && (await answersWithin(tries, NEXT_ADDRESS_MS))) break;
    }
    const first = await Promise.any(tries);
    dropOthers(tries, first);
    return first;
  } catch (error) {
    if (error instanceof AggregateError) throw telling(error.errors);
    throw error;
  } finally {
    stop.abort(new XferError('DISCONNECTED', `connect ${label}: another address answered first`));
  }
}

/** Of several, each is told of by its own name. */
export function placeLabel({ host, port, path = '' }: TcpAddress): string {
  return describeLocation({ scheme: 'tcp', path, ...(path === '' ? { host, port } : {}) });
}

async function callOne(
  address: TcpAddress,
  label: string,
  hello: Hello,
  options: SealedOptions,
  scope: Scope,
): Promise<Greeted> {
  const socket = new Socket({ allowHalfOpen: true });
  await connectSocket(socket, address, label, options, scope);
  const lane = new Lane(await sealConnected(socket, options.key, hello.role, label, scope), label);
  const startMs = performance.now();
  lane.send(FRAME.hello, 0, encodeHello(hello));
  const answer = await lane.first(scope);
  // A handshake has to be computed, too. The time to connect says nothing: what lies between, as in ssh -L, may answer.
  lane.roundTripMs = Math.min(lane.roundTripMs, performance.now() - startMs);
  if (answer.role === peerRole(hello.role) && answer.session.equals(hello.session)) {
    return { lane, hello: answer, address };
  }
  const error = new XferError('PROTOCOL', `connection ${label}: answered as another than was called`);
  lane.refuse(error);
  throw error;
}

/** Whether one answered in time. */
async function answersWithin(tries: readonly Promise<Greeted>[], ms: number): Promise<boolean> {
  const answered = Promise.any(tries).then(
    () => true,
    () => false,
  );
  const stop = new AbortController();
  const late = sleep(ms, false, { signal: stop.signal }).catch(() => false);
  const inTime = await Promise.race([answered, late]);
  stop.abort();
  return inTime;
}

function dropOthers(tries: readonly Promise<Greeted>[], first: Greeted): void {
  for (const each of tries) {
    void each.then(
      ({ lane }) => {
        if (lane !== first.lane) lane.cut();
      },
      () => {},
    );
  }
}

/** Of the failures of several addresses the one that says most: a wrong key is worse news than a dead address. */
function telling(errors: readonly unknown[]): unknown {
  const isWord = (error: unknown) =>
    error instanceof XferError && ['DENIED', 'UNSUPPORTED', 'PROTOCOL'].includes(error.code);
  return errors.find(isWord) ?? errors[0];
}
