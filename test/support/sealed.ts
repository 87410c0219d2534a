/** Sealed ends on loopback, and one that speaks the frames and does with them what it likes. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Scope, Sink } from '#xfer/transport.js';
import type { TcpAddress } from '#xfer/transports/tcp/options.js';
import { BodyReader, BodyWriter } from '#xfer/transports/tcp/sealed/body.js';
import { FRAME, type FrameKind, FrameReader, frameHeader } from '#xfer/transports/tcp/sealed/frame.js';
import { sealAccepted, sealConnected } from '#xfer/transports/tcp/sealed/handshake.js';
import { newKey, type SealedRole } from '#xfer/transports/tcp/sealed/key.js';
import { receiveFromCallers } from '#xfer/transports/tcp/sealed/listen/receiver.js';
import { answerReceivers } from '#xfer/transports/tcp/sealed/listen/sender.js';
import {
  decodeFailure,
  encodeHello,
  encodeOffer,
  type Hello,
  newSession,
  type Offer,
  PROTOCOL_VERSION,
} from '#xfer/transports/tcp/sealed/messages.js';
import type { ReceivePolicy } from '#xfer/transports/tcp/sealed/receive/policy.js';
import type { Farewell, ReceiveEvents } from '#xfer/transports/tcp/sealed/receive/session.js';
import { callingOpener } from '#xfer/transports/tcp/sealed/send/caller.js';
import type { LaneOpener } from '#xfer/transports/tcp/sealed/send/connections.js';
import { openSealedSink, type SealedSink } from '#xfer/transports/tcp/sealed/send/sink.js';

export const HOST = '127.0.0.1';
export const KEY = newKey();
export const never: Scope = { signal: new AbortController().signal };

/** An offer that names nothing, so that any name may come. */
export const ANYTHING: Offer = { things: [{ name: '', kind: 'directory' }], count: 1 };

export function offering(...names: string[]): Offer {
  return { things: names.map((name) => ({ name, kind: 'file' })), count: names.length };
}

export function takeAll(): ReceiveEvents {
  return { onOffer: async () => true };
}

export interface ReceivingOptions {
  readonly key?: Uint8Array;
  readonly policy?: ReceivePolicy;
  readonly events?: ReceiveEvents;
  readonly keep?: boolean;
}

export interface Receiving {
  readonly port: number;
  /** Rejects with the reason of `stop` where it was stopped. */
  readonly ended: Promise<Farewell>;
  /** What it told a person. */
  readonly notices: string[];
  /** How many senders it has lost so far: an error kept would keep its socket with it. */
  lost(): number;
  stop(): Promise<void>;
}

/** A receiver that listens. */
export async function startReceiving(sink: Sink, options: ReceivingOptions = {}): Promise<Receiving> {
  const stop = new AbortController();
  const notices: string[] = [];
  let lost = 0;
  let onListening: (address: TcpAddress) => void = () => {};
  const listening = new Promise<TcpAddress>((resolve) => {
    onListening = resolve;
  });
  const ended = receiveFromCallers(
    [{ host: HOST, port: 0 }],
    'here',
    sink,
    {
      key: options.key ?? KEY,
      policy: options.policy ?? {},
      keep: options.keep ?? false,
      identity: 'test',
      eventsFor: () => ({ ...(options.events ?? takeAll()), onLost: () => lost++ }),
      onListening,
      onNotice: (line) => notices.push(line),
    },
    { signal: stop.signal },
  );
  ended.catch(() => {});
  const { port } = await Promise.race([listening, ended.then(() => ({ port: 0 }))]);
  return {
    port,
    ended,
    notices,
    lost: () => lost,
    async stop() {
      stop.abort(new Error('stopped by the test'));
      await ended.catch(() => {});
    },
  };
}

export interface SendingOptions {
  readonly key?: Uint8Array;
  readonly offer?: Offer;
  readonly connections?: number;
  readonly scope?: Scope;
}

/** A sender that calls. */
export function openSending(port: number, options: SendingOptions = {}): Promise<SealedSink> {
  const { key = KEY, offer = ANYTHING, connections, scope = never } = options;
  const opener = callingOpener([{ host: HOST, port }], `${HOST}:${port}`, { key });
  return openSealedSink(opener, offer, connections === undefined ? {} : { connections }, scope);
}

export interface Sending {
  readonly port: number;
  /** The first receiver that called. */
  readonly opener: Promise<LaneOpener>;
  readonly notices: string[];
  stop(): void;
}

/** A sender that listens, for one receiver. */
export async function startSending(key: Uint8Array = KEY): Promise<Sending> {
  const notices: string[] = [];
  let port = 0;
  let came: (opener: LaneOpener) => void = () => {};
  let leave: () => void = () => {};
  const opener = new Promise<LaneOpener>((resolve) => {
    came = resolve;
  });
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const options = {
    key,
    onNotice: (line: string) => void notices.push(line),
    onListening: (address: TcpAddress) => {
      port = address.port;
    },
  };
  const answered = await answerReceivers({ host: HOST, port: 0 }, 'here', options, 1, (first) => {
    came(first);
    return left;
  });
  return {
    port,
    opener,
    notices,
    stop() {
      answered.close();
      leave();
    },
  };
}

export interface Frame {
  readonly kind: FrameKind;
  readonly id: number;
  readonly body: Buffer;
}

/** An end that holds the key and says whatever a test wants. */
export class FreePeer {
  readonly socket: TLSSocket;
  /** Resolves when the other end closed or cut the connection. */
  readonly closed: Promise<void>;
  readonly #frames: Frame[] = [];
  /** Who waits for the answer to a request. */
  readonly #asked = new Map<number, (answer: Frame | undefined) => void>();
  #wake: () => void = () => {};
  #ended: Frame | true | undefined;

  constructor(socket: TLSSocket) {
    this.socket = socket;
    const reader = new FrameReader({
      onFrame: (kind, id, body) => this.#push({ kind, id, body: Buffer.from(body) }),
      onBytes: (id, bytes) => this.#push({ kind: FRAME.bytes, id, body: Buffer.from(bytes) }),
    });
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => reader.take(bytes));
    this.closed = new Promise((resolve) => {
      const end = () => {
        this.#end(true);
        socket.destroy();
        resolve();
      };
      socket.on('end', end).on('close', end);
    });
  }

  /** The last words of the other end answer whatever is asked. */
  #end(how: Frame | true): void {
    this.#ended ??= how;
    const words = this.#ended === true ? undefined : this.#ended;
    for (const answer of this.#asked.values()) answer(words);
    this.#asked.clear();
    this.#wake();
  }

  #push(frame: Frame): void {
    if (frame.kind === FRAME.ping) return;
    const answer = frame.kind === FRAME.held ? undefined : this.#asked.get(frame.id);
    this.#asked.delete(answer ? frame.id : -1);
    if (answer) answer(frame);
    else this.#frames.push(frame);
    if (frame.kind === FRAME.failed && frame.id === 0) this.#end(frame);
    this.#wake();
  }

  send(kind: number, id: number, body: Uint8Array = Buffer.alloc(0)): void {
    this.socket.write(frameHeader(kind as FrameKind, id, body.length));
    if (body.length > 0) this.socket.write(body);
  }

  /** The next frame that answers no `ask`, or undefined where the connection ended. */
  async next(): Promise<Frame | undefined> {
    while (this.#frames.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#frames.shift();
  }

  /** Sends a request, and gives the frame that answers it: the last words of the other end, or nothing, where it ends. */
  ask(kind: number, id: number, body?: Uint8Array): Promise<Frame | undefined> {
    if (this.#ended) return Promise.resolve(this.#ended === true ? undefined : this.#ended);
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.send(kind, id, body);
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

/** What a frame tells of a failure: its code and message; undefined for another frame. */
export function failureOf(frame: Frame | undefined): { code: string; message: string } | undefined {
  if (frame?.kind !== FRAME.failed) return undefined;
  const { code, message } = decodeFailure(frame.body);
  return { code, message };
}

export function senderHello(session = newSession()): Hello {
  return { version: PROTOCOL_VERSION, role: 'sender', session };
}

export function receiverHello(session = newSession(), identity = 'free peer'): Hello {
  const capabilities = { offsets: true, atomic: true, resume: true, parallel: true, metadata: true };
  return { version: PROTOCOL_VERSION, role: 'receiver', session, target: { identity, capabilities } };
}

/** Calls as an end of `role`; no hello is sent. */
export async function callFreely(port: number, role: SealedRole, key: Uint8Array = KEY): Promise<FreePeer> {
  const socket = connect({ host: HOST, port, allowHalfOpen: true, noDelay: true });
  await once(socket, 'connect');
  const { socket: secured } = await sealConnected(socket, key, role, 'free', never);
  return new FreePeer(secured);
}

/** A sender whose offer was taken by a receiver that listens. */
export async function callAsSender(port: number, offer: Offer = ANYTHING, hello = senderHello()): Promise<FreePeer> {
  const peer = await callFreely(port, 'sender');
  await peer.ask(FRAME.hello, 0, encodeHello(hello));
  const answer = await peer.ask(FRAME.offer, 1, encodeOffer(offer));
  if (answer?.kind !== FRAME.done) throw new Error(`the offer was not taken: ${failureOf(answer)?.message}`);
  return peer;
}

/** Listens for ends of `peerRole`, and gives each to `take` once it is sealed. */
export async function listenFreely(
  peerRole: SealedRole,
  take: (peer: FreePeer) => void,
): Promise<{ port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    sealAccepted(socket, KEY, peerRole, 'free', never).then(
      ({ socket: secured }) => take(new FreePeer(secured)),
      () => {},
    );
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

export { BodyReader, BodyWriter, FRAME };
