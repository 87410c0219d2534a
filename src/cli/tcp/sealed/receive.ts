/** `xfer recv` with a key: files and trees from a sealed sender. */
import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { RunRecord } from '../../../copy/run-record.js';
import { XferError } from '../../../errors.js';
import { keepSecret } from '../../../files/private-file.js';
import { describeLocation, type Location } from '../../../location.js';
import { openSink } from '../../../open.js';
import type { Prompt, Scope, Sink } from '../../../transport.js';
import type { TcpAddress } from '../../../transports/tcp/options.js';
import { addressOf } from '../../../transports/tcp/raw.js';
import type { Farewell } from '../../../transports/tcp/sealed/receive/session.js';
import { sharedLimit } from '../../copy-options.js';
import type { ParsedArguments } from '../../parsed-arguments.js';
import { createPrompt } from '../../prompt.js';
import type { Report } from '../../render/report.js';
import { openReport } from '../../run-copy.js';
import { usableJournalDirectory, usableStateDirectory } from '../../state-directory.js';
import type { Surroundings } from '../../surroundings.js';
import { sealedRetriesOf } from '../connect-again.js';
import { describeAddress } from '../tcp-options.js';
import { shownText } from '../terminal-text.js';
import { Received } from './received.js';
import { type SealedEnd, sealedEnd } from './sealed-end.js';
import type { SealedTarget } from './where.js';

/**
 * Takes what one sender sends into the target, or with -k what each does. Rejects with PARTIAL where some of it did not
 * arrive; what a cut or a kill leaves is gone on with when the sender sends it again.
 */
export async function receiveSealed(
  target: SealedTarget,
  to: Location,
  parsed: ParsedArguments,
  around: Surroundings,
): Promise<void> {
  const report = await openReport(parsed, around);
  const scope = { signal: around.signal };
  const sink = await openSink(to, { onNotice: report.onNotice }, scope);
  const state = await usableStateDirectory(around, report.onNotice);
  const journal = sink.sweep && state ? await usableJournalDirectory(around, report.onNotice) : undefined;
  const record = journal === undefined ? undefined : await RunRecord.open(journal, [], sink);
  let end: SealedEnd | undefined;
  try {
    await makeTarget(to, sink, scope);
    end = await sealedEnd('recv', target.to.listen === true, parsed, around, report);
    await new SealedReceive({ sink, record, state }, end.options, parsed, around, report).run(target);
    const left = await record?.sweep(sink, scope);
    if (left) report.onNotice(left.message);
  } catch (error) {
    record?.noteFailure();
    throw error;
  } finally {
    report.end();
    await record?.close();
    await sink.close();
    await end?.end();
  }
}

/** With a slash at its end a target that is missing is a directory to be made. */
async function makeTarget(to: Location, sink: Sink, scope: Scope): Promise<void> {
  if (to.scheme !== 'file' || !/[/\\]$/.test(to.path)) return;
  if (!(await sink.stat('', scope))) await sink.create({ path: '', kind: 'directory' }, scope);
}

interface Into {
  readonly sink: Sink;
  readonly record: RunRecord | undefined;
  /** The person's own directory for what outlives this run. */
  readonly state: string | undefined;
}

class SealedReceive {
  readonly #sink: Sink;
  readonly #record: RunRecord | undefined;
  readonly #state: string | undefined;
  readonly #options: SealedEnd['options'];
  readonly #parsed: ParsedArguments;
  readonly #around: Surroundings;
  readonly #report: Report;
  /** One for all senders, whose questions come one at a time. */
  readonly #ask: Prompt['line'] | undefined;

  constructor(
    { sink, record, state }: Into,
    options: SealedEnd['options'],
    parsed: ParsedArguments,
    around: Surroundings,
    report: Report,
  ) {
    this.#sink = sink;
    this.#record = record;
    this.#state = state;
    this.#options = options;
    this.#parsed = parsed;
    this.#around = around;
    this.#report = report;
    this.#ask = parsed.flag('ask') ? report.asking(createPrompt(around)).line : undefined;
  }

  async run({ to, others }: SealedTarget): Promise<void> {
    const common = { ...this.#options, policy: this.#policy(), identity: await this.#identity() };
    const addresses = [addressOf(to), ...others];
    if (to.listen) await this.#listen(addresses, common);
    else await this.#call(addresses, to, common);
  }

  async #listen(addresses: readonly TcpAddress[], common: Common): Promise<void> {
    const { receiveFromCallers } = await import('../../../transports/tcp/sealed/listen/receiver.js');
    const keep = this.#parsed.flag('keep-open');
    const refused = new AbortController();
    const signal = AbortSignal.any([this.#around.signal, refused.signal]);
    let last: Received | undefined;
    const farewell = await receiveFromCallers(
      addresses,
      describeAddress(addresses[0] as TcpAddress),
      this.#sink,
      {
        ...common,
        keep,
        eventsFor: (peer) => {
          last = this.#sender(describeAddress(peer), keep, (error) => refused.abort(error));
          return last.events;
        },
      },
      { signal },
    );
    if (last) this.#end(last, farewell);
  }

  async #call(addresses: readonly TcpAddress[], to: Location, common: Common): Promise<void> {
    const { receiveByCalling } = await import('../../../transports/tcp/sealed/receive/caller.js');
    const { retry } = await import('../../../copy/retry.js');
    const label = describeLocation(to);
    const received = this.#sender(label, false, () => {});
    const retries = sealedRetriesOf(this.#parsed);
    // One who was refused does not wait there to be called again.
    const once = (attempt: () => Promise<void>) => () =>
      attempt().catch((error: unknown) => Promise.reject(received.refusal ?? error));
    const again = (attempt: () => Promise<void>) =>
      retry(once(attempt), {
        policy: { attempts: retries + 1, maxDelayMs: 1000 },
        signal: this.#around.signal,
        what: 'receive',
        progress: () => received.bytes,
        onRetry: (count, _delayMs, error) => {
          if (count === 2) this.#report.onNotice(`${error.message}; waiting for it`);
        },
      });
    const scope = { signal: this.#around.signal };
    const farewell = await receiveByCalling(
      addresses,
      label,
      this.#sink,
      { ...common, events: received.events, again },
      scope,
    );
    this.#end(received, farewell);
  }

  /** One whose end is told when it comes, where others may follow. */
  #sender(from: string, othersFollow: boolean, stop: (error: XferError) => void): Received {
    const ask = this.#ask;
    const received: Received = new Received(this.#report, this.#record, from, {
      ...(ask ? { ask } : {}),
      onText: (text) => this.#show(from, text),
      onLost: (error) => this.#report.onNotice(`${error.message}; waiting for the sender to come back`),
      onRefused: (error) => {
        if (othersFollow) this.#report.fail({ path: from, error });
        else stop(error);
      },
      onFarewell: (farewell) => {
        if (othersFollow) this.#tellEnd(received, farewell);
      },
    });
    return received;
  }

  /** Words are for standard output, whatever the report is told to say. */
  #show(from: string, text: Buffer): void {
    this.#report.end();
    if (this.#parsed.flag('json')) this.#report.tell('', { type: 'text', from, text: text.toString('utf8') });
    else this.#around.stdout.write(this.#around.stdout.isTTY ? `${shownText(text.toString('utf8'))}\n` : text);
  }

  #tellEnd(received: Received, farewell: Farewell): void {
    try {
      this.#end(received, farewell);
    } catch (error) {
      if (!(error instanceof XferError)) throw error;
      this.#report.onNotice(error.message);
    }
  }

  #end(received: Received, { failures }: Farewell): void {
    const result = received.result();
    this.#report.onEvent({ type: 'done', result });
    this.#report.end(received.onlyText ? undefined : result, true);
    if (failures === 0 && result.failures.length === 0) return;
    const [first] = result.failures;
    // As at the sender: a directory counts for nothing, since it may have been there.
    const arrived = result.files + result.symlinks;
    if (first && arrived === 0) throw new XferError(first.error.code, 'receive: nothing arrived');
    const count = Math.max(failures, result.failures.length);
    throw new XferError('PARTIAL', `receive: ${count} did not arrive`, {
      hint: 'the sender was told why: send it again',
    });
  }

  #policy() {
    const { limiter } = sharedLimit(this.#parsed);
    return {
      overwrite: this.#parsed.flag('overwrite'),
      dotfiles: this.#parsed.flag('allow-dotfiles'),
      anyNames: this.#parsed.flag('any-names'),
      asOffered: this.#ask !== undefined,
      ...(this.#record ? { run: this.#record.run } : {}),
      ...(limiter ? { admit: (bytes: number, signal: AbortSignal) => limiter.take(bytes, signal) } : {}),
    };
  }

  /** The same for the same place on this machine, as long as it can be kept, and nothing that tells where that is. */
  async #identity(): Promise<string> {
    if (this.#state === undefined) return randomBytes(16).toString('hex');
    const secret = await keepSecret(join(this.#state, 'receiver-id'), {
      what: 'receiver id',
      make: () => `${randomBytes(32).toString('hex')}\n`,
      parse: (text) => (/^[0-9a-f]{64}\s*$/.test(text) ? Buffer.from(text.trim(), 'hex') : undefined),
    });
    return createHmac('sha256', secret).update(this.#sink.identity).digest('hex').slice(0, 32);
  }
}

type Common = Omit<
  Parameters<typeof import('../../../transports/tcp/sealed/listen/receiver.js').receiveFromCallers>[3],
  'eventsFor'
>;
