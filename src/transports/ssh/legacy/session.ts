/** A receiver of the old scp protocol, told what comes: files, and directories that are entered and left. */
import { XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';
import type { LegacyPeer } from './peer.js';
import { END, farError, messageLine, OK, parseRecord, type Times, thingLine, timesLine } from './record.js';
import type { LegacyWire } from './wire.js';

/** A directory as the receiver is told of it. */
export interface SentDirectory {
  readonly name: string;
  readonly mode: number;
  readonly times: Times;
}

export class SendingSession {
  readonly wire: LegacyWire;
  readonly #peer: LegacyPeer;
  /** Paths of the directories that the receiver is in. */
  readonly #inside: string[] = [];

  private constructor(peer: LegacyPeer) {
    this.#peer = peer;
    this.wire = peer.wire;
  }

  /** Waits for the receiver's first word. What it says against its target is the error. */
  static async start(peer: LegacyPeer, scope: Scope): Promise<SendingSession> {
    const session = new SendingSession(peer);
    await session.answer(scope);
    return session;
  }

  /** The receiver's answer. The error that it tells, PROTOCOL for no answer of the protocol, DISCONNECTED. */
  async answer(scope: Scope): Promise<void> {
    const first = await this.wire.byte(scope).catch((error: unknown) => {
      if (error instanceof XferError && error.code === 'DISCONNECTED') return undefined;
      throw error;
    });
    if (first === 0) return;
    if (first === undefined) throw await this.#whyEnded(scope);
    const rest = (await this.wire.line(scope)) ?? Buffer.alloc(0);
    const record = parseRecord(Buffer.concat([Buffer.of(first), rest]));
    const text = 'text' in record ? record.text : 'an answer that is none';
    if (record.kind !== 'warning') this.wire.cut();
    throw farError('write', text, record.kind === 'warning' ? 'DENIED' : 'PROTOCOL');
  }

  async #whyEnded(scope: Scope): Promise<XferError> {
    const failure = await this.#peer.ended(scope);
    return failure ?? new XferError('DISCONNECTED', `write ${this.wire.label}: the far scp ended early`);
  }

  /** Goes into a directory of the one that it is in; it is made where it is missing. */
  async enter(path: string, { name, mode, times }: SentDirectory, scope: Scope): Promise<void> {
    const line = thingLine({ kind: 'directory', mode, size: 0, name });
    await this.#announceTimes(times, scope);
    await this.#ask(line, scope);
    this.#inside.push(path);
  }

  /** Leaves the directory that it is in; the receiver now sets its mode and time. */
  async leave(scope: Scope): Promise<void> {
    this.#inside.pop();
    await this.#ask(END, scope);
  }

  /** Leaves all that it is in. */
  async leaveAll(scope: Scope): Promise<void> {
    while (this.#inside.length > 0) await this.leave(scope);
  }

  /** Leaves and enters directories until it is in the last of `ways`, which lead down from the top. */
  async goTo(ways: readonly string[], find: (path: string) => SentDirectory, scope: Scope): Promise<void> {
    while (this.#inside.length > 0 && ways[this.#inside.length - 1] !== this.#inside.at(-1)) await this.leave(scope);
    for (const path of ways.slice(this.#inside.length)) await this.enter(path, find(path), scope);
  }

  /** Announces a file; its bytes are awaited next. */
  async announce(file: { name: string; mode: number; size: number; times: Times }, scope: Scope): Promise<void> {
    const line = thingLine({ kind: 'file', ...file });
    await this.#announceTimes(file.times, scope);
    await this.#ask(line, scope);
  }

  async #announceTimes(times: Times, scope: Scope): Promise<void> {
    const line = timesLine(times);
    if (line) await this.#ask(line, scope);
  }

  /** After the bytes of a file: they are all there, or, with `fault`, they are not to be kept. */
  async conclude(fault: string | undefined, scope: Scope): Promise<void> {
    await this.#ask(fault === undefined ? OK : messageLine(fault), scope);
  }

  /** Tells what cannot be sent; there is no answer. */
  async warn(text: string, scope: Scope): Promise<void> {
    await this.wire.write(messageLine(text), scope);
  }

  async #ask(line: Buffer, scope: Scope): Promise<void> {
    await this.wire.write(line, scope);
    await this.answer(scope);
  }
}
