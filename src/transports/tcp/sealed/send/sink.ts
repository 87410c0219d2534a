/** What a sender's copy writes to: the receiver's target, by frames. */
import { createHash } from 'node:crypto';
import { abortable } from '../../../../concurrency/on-abort.js';
import { Slots } from '../../../../concurrency/slots.js';
import { throwIfAborted } from '../../../../errors.js';
import type { Conclusion, Draft, Entry, Parallelism, Scope, Sink, SinkCapabilities } from '../../../../transport.js';
import { BodyReader, BodyWriter } from '../body.js';
import { FRAME, type FrameKind } from '../frame.js';
import { type Offer, readEntry, type Target, writeEntry } from '../messages.js';
import { Connections, type LaneOpener, LONG_LINE_MS, WIDE_FROM_BYTES } from './connections.js';
import { SealedDraft } from './draft.js';

/** Small files under way on a long line: enough to fill it, whatever its round trip. */
const MOST_FILES = 2048;
/** Of these are in a draft of the receiver's, which takes no more. */
const MOST_DRAFTS = 512;

export interface SealedSinkOptions {
  /** How many connections a large file may take; by the length of the line where absent. */
  readonly connections?: number;
}

/**
 * Opens the receiver's target. Rejects as `opener` does, and with DENIED where the offer was refused there. Retries are the
 * caller's: a request after a lost connection opens a new one.
 */
export async function openSealedSink(
  opener: LaneOpener,
  offer: Offer,
  options: SealedSinkOptions,
  scope: Scope,
): Promise<SealedSink> {
  const connections = new Connections(opener, offer, options.connections);
  try {
    return new SealedSink(connections, await connections.open(scope));
  } catch (error) {
    await connections.close();
    throw error;
  }
}

export class SealedSink implements Sink {
  readonly label: string;
  readonly identity: string;
  readonly capabilities: SinkCapabilities;
  readonly parallelism: Parallelism;
  readonly #connections: Connections;
  readonly #drafts = new Slots(MOST_DRAFTS);

  constructor(connections: Connections, target: Target) {
    this.label = connections.label;
    this.identity = `sealed:${target.identity}`;
    this.capabilities = { ...target.capabilities, provesWhole: true };
    this.#connections = connections;
    this.parallelism = {
      filesInFlight: connections.roundTripMs < LONG_LINE_MS ? 64 : MOST_FILES,
      // Each waits a round trip at the end of a block, and another one sends meanwhile.
      lanes: connections.wanted === 1 ? 1 : 2 * connections.wanted,
    };
  }

  async stat(path: string, scope: Scope): Promise<Entry | undefined> {
    const body = new BodyReader(await this.#ask(FRAME.stat, new BodyWriter().text(path).bytes(), scope));
    const entry = body.u8() === 0 ? undefined : readEntry(body);
    body.end();
    return entry && { ...entry, path };
  }

  async create(entry: Entry, scope: Scope): Promise<void> {
    await this.#ask(FRAME.create, writeEntry(new BodyWriter(), entry).bytes(), scope);
  }

  async finish(directory: Entry, scope: Scope): Promise<void> {
    await this.#ask(FRAME.finish, writeEntry(new BodyWriter(), directory).bytes(), scope);
  }

  async put(entry: Entry, bytes: Buffer, exact: boolean, scope: Scope): Promise<string> {
    throwIfAborted(scope.signal);
    const digest = createHash('sha256').update(bytes).digest();
    const head = writeEntry(new BodyWriter().u8(exact ? 1 : 0).raw(digest), entry).bytes();
    const requests = await this.#connections.requests(scope);
    await abortable(requests.ask(FRAME.put, head, bytes), scope);
    return digest.toString('hex');
  }

  async draft(entry: Entry, scope: Scope): Promise<Draft> {
    await this.#drafts.take(scope);
    try {
      if (this.#connections.wanted > 1 && (entry.size ?? 0) >= WIDE_FROM_BYTES) {
        await this.#connections.requests(scope);
        await this.#connections.widen(scope);
      }
      const requests = await this.#connections.requests(scope);
      const { epoch } = this.#connections;
      const answer = await abortable(requests.ask(FRAME.draft, writeEntry(new BodyWriter(), entry).bytes()), scope);
      return new SealedDraft(this.#connections, epoch, answer, () => this.#drafts.give());
    } catch (error) {
      this.#drafts.give();
      throw error;
    }
  }

  /** Tells the receiver how the copy went; it may end then. */
  async conclude({ files, bytes, failures }: Conclusion, scope: Scope): Promise<void> {
    await this.#ask(FRAME.bye, new BodyWriter().u64(files).u64(bytes).u64(failures).bytes(), scope);
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  async #ask(kind: FrameKind, body: Buffer, scope: Scope): Promise<Buffer> {
    const requests = await this.#connections.requests(scope);
    return abortable(requests.ask(kind, body), scope);
  }
}
