/** The connections of a listener: each is one copy. */
import { setTimeout as sleep } from 'node:timers/promises';
import { withinTimerMs } from '../../../concurrency/longest-timer.js';
import { Slots } from '../../../concurrency/slots.js';
import { type CopyOptions, copy } from '../../../copy/index.js';
import { Limiter } from '../../../copy/limiter.js';
import { toXferError, XferError } from '../../../errors.js';
import type { Sink, Source } from '../../../transport.js';
import type { Passed, TcpAddress, TcpOptions } from '../options.js';
import { RawSink } from '../sink.js';
import { RawSource } from '../source.js';
import type { Wire } from '../wire.js';
import { clientName } from './client-name.js';
import type { TcpListenOptions } from './index.js';

/** Each holds a socket, a file and up to 4 MiB. */
const MOST_CLIENTS = 100;

/** What became of a client. */
export interface ClientResult {
  readonly peer: TcpAddress;
  /** Of the file that it brought. */
  readonly name?: string;
  /** Absent where it failed, or no digests were asked for. */
  readonly passed?: Passed;
  readonly error?: XferError;
}

export class Clients {
  readonly #options: TcpListenOptions;
  readonly #copyOptions: CopyOptions;
  readonly #slots: Slots;
  readonly #running = new Set<Promise<void>>();
  readonly #cut = new AbortController();
  /** Of the clients that bring something, the oldest first. */
  readonly #bringing = new Set<Wire>();
  readonly #dropped = new WeakSet<Wire>();
  #count = 0;
  #turnedAway = false;

  constructor(options: TcpListenOptions) {
    this.#options = options;
    const { receive, limitBytesPerSecond: limit } = options;
    this.#slots = new Slots(receive && !receive.capabilities.parallel ? 1 : MOST_CLIENTS);
    this.#copyOptions = {
      signal: this.#cut.signal,
      retry: { attempts: 1 },
      ...(limit === undefined ? {} : { limiter: new Limiter(limit) }),
    };
  }

  /** Works for a client. Where too many are there it is reset, or the one that has been silent for longest is. */
  take(peer: TcpAddress, makeWire: () => Wire): void {
    const wire = makeWire();
    const isFull = this.#running.size >= MOST_CLIENTS && !this.#dropSilent();
    if (isFull || this.#cut.signal.aborted) {
      wire.cut();
      if (!this.#turnedAway)
        this.#options.onNotice?.(`more than ${MOST_CLIENTS} clients at once: others are turned away`);
      this.#turnedAway = true;
      return;
    }
    this.#count += 1;
    const work = this.#serve(peer, wire, this.#count).finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  /** Whether there was one that is to bring something, and has brought nothing. */
  #dropSilent(): boolean {
    for (const wire of this.#bringing) {
      if (!wire.isSilent) continue;
      this.#dropped.add(wire);
      wire.cut();
      this.#bringing.delete(wire);
      return true;
    }
    return false;
  }

  /** Resolves when no client is left. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  cut(): void {
    this.#cut.abort(new XferError('DISCONNECTED', 'listen: the listener ended'));
  }

  /** Resolves when no client is left; those that are still there after the grace are cut. */
  async close(graceMs: number): Promise<void> {
    const ended = new AbortController();
    const grace = sleep(withinTimerMs(graceMs), undefined, { signal: ended.signal }).then(
      () => this.cut(),
      () => undefined,
    );
    await this.drained();
    ended.abort();
    await grace;
  }

  async #serve(peer: TcpAddress, wire: Wire, count: number): Promise<void> {
    const { digests, onClient, share, receive } = this.#options;
    let passed: Passed | undefined;
    let name: string | undefined;
    const onPassed = (all: Passed): void => {
      passed = all;
    };
    const options: TcpOptions = { ...this.#options, ...(digests ? { onPassed } : {}) };
    try {
      await this.#slots.take(this.#cut);
      try {
        if (share) await this.#send(wire, share, options);
        else name = await this.#receive(wire, receive as Sink, options, clientName(peer, count));
      } finally {
        this.#slots.give();
      }
      onClient?.({ peer, ...(name === undefined ? {} : { name }), ...(passed ? { passed } : {}) });
    } catch (error) {
      onClient?.({ peer, error: this.#dropped.has(wire) ? silent() : toXferError(error, `client ${wire.label}`) });
    } finally {
      this.#bringing.delete(wire);
      wire.cut();
    }
  }

  async #send(wire: Wire, share: Source, options: TcpOptions): Promise<void> {
    const sink = new RawSink(wire, options);
    try {
      await copy([share], sink, this.#copyOptions);
    } finally {
      await sink.close();
    }
  }

  /** The name of the file, where the sink has names. */
  async #receive(wire: Wire, sink: Sink, options: TcpOptions, name: string): Promise<string | undefined> {
    this.#bringing.add(wire);
    const source = new RawSource(wire, options, name);
    const isDirectory = (await sink.stat('', this.#cut))?.kind === 'directory';
    try {
      const { skipped } = await copy([source], sink, {
        ...this.#copyOptions,
        ...(isDirectory ? { intoDirectory: true, overwrite: 'never' } : {}),
      });
      if (skipped > 0) throw new XferError('EXISTS', `receive ${name}: the name is taken`);
      return isDirectory ? name : undefined;
    } finally {
      await source.close();
    }
  }
}

function silent(): XferError {
  return new XferError(
    'TIMED_OUT',
    `receive: nothing came, and of more than ${MOST_CLIENTS} clients the silent one goes`,
  );
}
