/** `xfer send -l -k` with a key: the same to each receiver that calls. */
import { abortable } from '../../../concurrency/on-abort.js';
import { toXferError } from '../../../errors.js';
import { describeLocation, type Location } from '../../../location.js';
import type { TcpAddress } from '../../../transports/tcp/options.js';
import { addressOf } from '../../../transports/tcp/raw.js';
import type { LaneOpener } from '../../../transports/tcp/sealed/send/connections.js';
import { sharedLimit } from '../../copy-options.js';
import type { ParsedArguments } from '../../parsed-arguments.js';
import { type Report, summaryOf } from '../../render/report.js';
import { copyAll, openReport } from '../../run-copy.js';
import type { Surroundings } from '../../surroundings.js';
import { describeAddress } from '../tcp-options.js';
import { offerOf } from './offer.js';
import { sealedEnd } from './sealed-end.js';
import { inputName, linksOf, sealedCopy, sealedTuning } from './send.js';

/** Served at once; more are told to come again. */
const MOST_RECEIVERS = 16;

/** Serves until stopped, and says of each receiver how it went. Rejects as `startListening` does, and with the signal's reason. */
export async function sendSealedToMany(
  from: readonly Location[],
  at: Location,
  parsed: ParsedArguments,
  around: Surroundings,
): Promise<void> {
  const report = await openReport(parsed, around);
  const { options, end } = await sealedEnd('send', true, parsed, around, report);
  const scope = { signal: around.signal };
  const underWay = new Set<Promise<void>>();
  const serving: Serving = { from, at, limit: sharedLimit(parsed), parsed, around, report };
  const { answerReceivers } = await import('../../../transports/tcp/sealed/listen/sender.js');
  const take = (opener: LaneOpener, peer: TcpAddress) => {
    const served = serveOne(serving, opener, peer).finally(() => underWay.delete(served));
    underWay.add(served);
    return served;
  };
  try {
    const server = await answerReceivers(addressOf(at), describeLocation(at), options, MOST_RECEIVERS, take);
    try {
      await abortable(new Promise<never>(() => {}), scope);
    } finally {
      server.close();
      await Promise.all(underWay);
    }
  } finally {
    report.end();
    await end();
  }
}

interface Serving {
  readonly from: readonly Location[];
  readonly at: Location;
  /** For all receivers together. */
  readonly limit: ReturnType<typeof sharedLimit>;
  readonly parsed: ParsedArguments;
  readonly around: Surroundings;
  readonly report: Report;
}

/** Never rejects. */
async function serveOne(serving: Serving, opener: LaneOpener, peer: TcpAddress): Promise<void> {
  const { from, at, limit, parsed, around, report } = serving;
  const to = describeAddress(peer);
  const [{ host, port }, tuning] = [peer, sealedTuning(parsed)];
  report.tell(`connected to ${to}`, { type: 'connected', host, port });
  try {
    const { openSealedSink } = await import('../../../transports/tcp/sealed/send/sink.js');
    // Anew: files may have grown since another receiver came.
    const offer = await offerOf(from, inputName(parsed), linksOf(parsed), around.signal);
    const copied = sealedCopy(from, at, parsed);
    const request = {
      ...copied,
      copyOptions: { ...copied.copyOptions, ...limit },
      openTo: () => openSealedSink(opener, offer, tuning, { signal: around.signal }),
      // Those of several receivers at once would say nothing.
      onEvent: () => {},
    };
    const { files, bytes, failures, ...rest } = await copyAll(request, parsed, around, report);
    for (const { path, error } of failures) report.fail({ path: `${to}: ${path}`, error });
    const record = { type: 'sent', peer: to, files, bytes, failures: failures.length };
    report.tell(`${to}: ${summaryOf({ files, bytes, failures, ...rest })}`, record);
  } catch (thrown) {
    if (!around.signal.aborted) report.fail({ path: to, error: toXferError(thrown, `send to ${to}`) });
  } finally {
    opener.close();
  }
}
