/** What a sealed receiver is told of a sender's copy -> the events and the result of a copy. */
import type { CopyResult } from '../../../copy/index.js';
import { Progress } from '../../../copy/progress.js';
import type { RunRecord } from '../../../copy/run-record.js';
import { XferError } from '../../../errors.js';
import { printable } from '../../../names.js';
import type { Scope } from '../../../transport.js';
import type { Offer, Offered } from '../../../transports/tcp/sealed/messages.js';
import type { Farewell, ReceiveEvents } from '../../../transports/tcp/sealed/receive/session.js';
import { formatBytes } from '../../render/format.js';
import type { Report } from '../../render/report.js';

/** Of an offer's names on the screen. */
const MOST_NAMED = 10;
const MOST_FAILURES = 1000;
const MOST_DIGESTS = 100_000;

export interface ReceivedHooks {
  /** Words that came for a person. */
  readonly onText: (text: Buffer) => void;
  readonly onFarewell: (farewell: Farewell) => void;
  readonly onLost: (error: XferError) => void;
  /** What was offered was not taken, and the sender is gone. */
  readonly onRefused: (error: XferError) => void;
  /** Lets a person say whether what is offered is taken. */
  readonly ask?: (question: string, scope: Scope) => Promise<string | undefined>;
}

/** Of one sender. */
export class Received {
  readonly #report: Report;
  readonly #record: RunRecord | undefined;
  readonly #from: string;
  readonly #hooks: ReceivedHooks;
  readonly #startedAtMs = performance.now();
  readonly #progress: Progress<string>;
  readonly #count = { files: 0, directories: 0, symlinks: 0, bytes: 0 };
  readonly #failures: { path: string; error: XferError }[] = [];
  #refusal: XferError | undefined;
  #texts = 0;
  readonly #digests = new Map<string, string>();

  constructor(report: Report, record: RunRecord | undefined, from: string, hooks: ReceivedHooks) {
    this.#report = report;
    this.#progress = new Progress(report.onEvent);
    this.#record = record;
    this.#from = from;
    this.#hooks = hooks;
  }

  readonly events: ReceiveEvents = {
    onOffer: (offer, scope) => this.#offered(offer, scope),
    onStart: (path, size, heldBytes) => {
      this.#record?.noteFile(path);
      this.#progress.start(path, path, size, heldBytes);
    },
    onBytes: (path, bytes) => this.#progress.add(path, bytes),
    onFile: (path, bytes, digest) => this.#arrived(path, bytes, digest),
    onText: (text) => {
      this.#texts += 1;
      this.#hooks.onText(text);
    },
    onMade: (_path, kind) => {
      this.#count[kind === 'directory' ? 'directories' : 'symlinks'] += 1;
    },
    onFailed: (path, error) => {
      this.#record?.noteFailure();
      this.#progress.end(path);
      if (this.#failures.length < MOST_FAILURES) this.#failures.push({ path, error });
      this.#report.onEvent({ type: 'fail', path, error });
    },
    onRefused: (error) => {
      this.#refusal = refusedHere(error, this.#from);
    },
    onLost: (error) => {
      this.#record?.noteFailure();
      if (this.#refusal) this.#hooks.onRefused(this.#refusal);
      else this.#hooks.onLost(error);
    },
    onFarewell: (farewell) => this.#hooks.onFarewell(farewell),
  };

  /** Why the offer was not taken, where it was not. */
  get refusal(): XferError | undefined {
    return this.#refusal;
  }

  /** Words came, and nothing else. */
  get onlyText(): boolean {
    const { files, directories, symlinks } = this.#count;
    return this.#texts > 0 && files + directories + symlinks + this.#failures.length === 0;
  }

  /** Bytes that came by now, those of files under way too. */
  get bytes(): number {
    return this.#count.bytes + this.#progress.bytes;
  }

  /** What arrived by now. */
  result(): CopyResult {
    return {
      ...this.#count,
      skipped: 0,
      excluded: 0,
      alreadyWhole: 0,
      resumedBytes: 0,
      failures: this.#failures,
      verified: this.#count.files === 0 ? 'none' : 'sha256',
      readBack: false,
      elapsedMs: performance.now() - this.#startedAtMs,
      digests: this.#digests,
    };
  }

  async #offered(offer: Offer, scope: Scope): Promise<boolean> {
    const lines = offerLines(offer);
    const record = { type: 'offer', from: this.#from, count: offer.count, things: offer.things };
    this.#report.tell(`${this.#from} sends ${lines.join(', ')}`, record);
    const isTaken = await this.#isTaken(scope);
    const [only] = offer.things;
    if (isTaken && offer.count === 1 && only?.size !== undefined) {
      this.#report.onEvent({ type: 'plan', files: 1, bytes: only.size, complete: true });
    }
    return isTaken;
  }

  async #isTaken(scope: Scope): Promise<boolean> {
    if (!this.#hooks.ask) return true;
    const answer = await this.#hooks.ask('Take it? [y/N] ', scope);
    return /^\s*y(?:es)?\s*$/i.test(answer ?? '');
  }

  #arrived(path: string, bytes: number, digest: string | undefined): void {
    this.#record?.noteFile(path);
    this.#progress.end(path);
    this.#count.files += 1;
    this.#count.bytes += bytes;
    if (digest !== undefined && this.#digests.size < MOST_DIGESTS) this.#digests.set(path, digest);
    this.#report.onEvent({ type: 'finish', path, bytes, ...(digest === undefined ? {} : { digest }) });
  }
}

/** The words that the sender was told, for the person here. */
function refusedHere({ code, message, hint, cause }: XferError, from: string): XferError {
  if (code === 'DENIED') return new XferError(code, `receive from ${from}: refused`, { cause });
  return new XferError(code, message, { hint, cause });
}

function offerLines({ things, count }: Offer): string[] {
  const named = things.slice(0, MOST_NAMED).map(offeredLine);
  const more = count - named.length;
  return more > 0 ? [...named, `and ${more} more`] : named;
}

function offeredLine({ name, kind, size }: Offered): string {
  if (kind === 'text') return `a text (${formatBytes(size ?? 0)})`;
  const shown = printable(name === '' ? 'what is in a directory' : name);
  if (kind === 'directory') return name === '' ? shown : `${shown}/`;
  return size === undefined ? shown : `${shown} (${formatBytes(size)})`;
}
