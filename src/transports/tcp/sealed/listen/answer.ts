/** Takes sealed connections on a port, and lets nobody without the key hold it up. */
import type { Server, Socket } from 'node:net';
import { toXferError, XferError } from '../../../../errors.js';
import { startListening } from '../../listening.js';
import type { TcpAddress } from '../../options.js';
import { FRAME } from '../frame.js';
import { sealAccepted } from '../handshake.js';
import { peerRole, type SealedRole } from '../key.js';
import { Lane } from '../lane.js';
import { encodeHello, type Hello } from '../messages.js';
import type { SealedOptions } from '../options.js';

/** Connections that have not proved the key yet; of more the oldest goes. */
const MOST_UNPROVEN = 300;
/** Of those who are turned away, so many are told of: the rest may be a flood. */
const MOST_TOLD = 10;

/** What an end that was called says, and what it does once that is said. */
export interface Welcome {
  readonly hello: Hello;
  readonly start: () => void;
}

/** Takes a connection of one that holds the key, or throws the XferError that it is told instead. */
export type TakeLane = (lane: Lane, hello: Hello, peer: TcpAddress) => Welcome;

/** A port that takes sealed connections. */
export interface Answered {
  /** Takes no more; those that have not proved the key are ended. */
  close(): void;
}

/** Starts to listen, as an end of `role`. Rejects as `startListening` does. */
export async function answerCalls(
  address: TcpAddress,
  label: string,
  role: SealedRole,
  options: SealedOptions,
  take: TakeLane,
): Promise<Answered> {
  const answering = new Answering(label, role, options, take);
  await answering.listen(address);
  return answering;
}

class Answering implements Answered {
  readonly #label: string;
  readonly #role: SealedRole;
  readonly #options: SealedOptions;
  readonly #take: TakeLane;
  readonly #unproven = new Set<Socket>();
  readonly #stop = new AbortController();
  #server: Server | undefined;
  #told = 0;

  constructor(label: string, role: SealedRole, options: SealedOptions, take: TakeLane) {
    this.#label = label;
    this.#role = role;
    this.#options = options;
    this.#take = take;
  }

  async listen(address: TcpAddress): Promise<void> {
    this.#server = await startListening(address, this.#label, this.#options, (peer, _makeWire, socket) => {
      void this.#greet(socket, peer);
    });
  }

  close(): void {
    this.#server?.close();
    this.#stop.abort();
    for (const socket of this.#unproven) socket.destroy();
  }

  /** Where too many have not proved the key, the one that has had most time for it goes. */
  #crowd(socket: Socket): void {
    this.#unproven.add(socket);
    const [oldest] = this.#unproven;
    if (this.#unproven.size > MOST_UNPROVEN) oldest?.destroy();
  }

  async #greet(socket: Socket, peer: TcpAddress): Promise<void> {
    this.#crowd(socket);
    const label = peer.path ?? peer.host;
    const scope = { signal: this.#stop.signal };
    try {
      const expected = peerRole(this.#role);
      const lane = new Lane(await sealAccepted(socket, this.#options.key, expected, label, scope), label);
      this.#unproven.delete(socket);
      this.#welcome(lane, await lane.first(scope), peer);
    } catch (error) {
      this.#tell(label, toXferError(error, `connection ${label}`));
    } finally {
      this.#unproven.delete(socket);
    }
  }

  #welcome(lane: Lane, hello: Hello, peer: TcpAddress): void {
    try {
      if (hello.role !== peerRole(this.#role))
        throw new XferError('PROTOCOL', `connection ${lane.label}: not the other end's role`);
      const welcome = this.#take(lane, hello, peer);
      lane.send(FRAME.hello, 0, encodeHello(welcome.hello));
      welcome.start();
    } catch (thrown) {
      const error = toXferError(thrown, `connection ${lane.label}`);
      lane.refuse(error);
      throw error;
    }
  }

  #tell(label: string, error: XferError): void {
    if (this.#stop.signal.aborted) return;
    this.#told += 1;
    const { onNotice } = this.#options;
    if (this.#told <= MOST_TOLD) onNotice?.(`turned away ${label}: ${error.message}`);
    if (this.#told === MOST_TOLD) onNotice?.('others that are turned away are not told of');
  }
}
