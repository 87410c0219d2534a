/** `xfer send` with a key: files and trees to a sealed receiver. */
import { XferError } from '../../../errors.js';
import type { Location } from '../../../location.js';
import type { SealedSendOptions } from '../../../transports/tcp/sealed/open.js';
import { checkInputName } from '../../input-name.js';
import type { ParsedArguments } from '../../parsed-arguments.js';
import type { Report } from '../../render/report.js';
import { type CopyRequest, openReport, runCopy } from '../../run-copy.js';
import type { Surroundings } from '../../surroundings.js';
import { connectAgain, sealedRetriesOf } from '../connect-again.js';
import { offerOf } from './offer.js';
import { type SealedEnd, sealedEnd } from './sealed-end.js';
import type { SealedTarget } from './where.js';

/**
 * Copies to the receiver, as `runCopy` does; the names, modes and times are kept, and each file is proved by its SHA-256.
 * With -k to each receiver that calls, until stopped.
 */
export async function sendSealed(
  from: readonly Location[],
  target: SealedTarget,
  parsed: ParsedArguments,
  around: Surroundings,
): Promise<void> {
  checkStandardInput(from, parsed);
  const hasInput = from.some(({ scheme }) => scheme === 'stdio');
  checkInputName(parsed.text('name'), hasInput, 'xfer send --sealed host:8080 -');
  if (parsed.flag('keep-open')) {
    const { sendSealedToMany } = await import('./send-many.js');
    return sendSealedToMany(from, target.to, parsed, around);
  }
  let end: SealedEnd | undefined;
  const report = await openReport(parsed, around);
  try {
    end = await sealedEnd('send', target.to.listen === true, parsed, around, report);
    await runCopy(toOne(from, target, end, parsed, around, report), parsed, around, report);
  } finally {
    report.end();
    await end?.end();
  }
}

function toOne(
  from: readonly Location[],
  { to, others }: SealedTarget,
  { options }: SealedEnd,
  parsed: ParsedArguments,
  around: Surroundings,
  report: Report,
): CopyRequest {
  const sealed: SealedSendOptions = {
    ...options,
    ...sealedTuning(parsed),
    others,
    offer: () => offerOf(from, inputName(parsed), linksOf(parsed), around.signal),
  };
  const retries = parsed.flag('find') ? 0 : sealedRetriesOf(parsed);
  return {
    ...sealedCopy(from, to, parsed),
    transportOptions: { sealed, inputName: inputName(parsed) },
    openAgain: (open) => connectAgain(open, { role: 'send', to, retries, sealed: true, report, signal: around.signal }),
  };
}

/** What each sealed copy is like. */
export function sealedCopy(from: readonly Location[], to: Location, parsed: ParsedArguments): CopyRequest {
  return {
    from,
    to,
    transportOptions: { inputName: inputName(parsed) },
    copyOptions: {
      recursive: true,
      preserve: true,
      verify: 'sha256',
      retry: { attempts: sealedRetriesOf(parsed) + 1, maxDelayMs: 1000 },
    },
  };
}

export function sealedTuning(parsed: ParsedArguments): { readonly connections?: number } {
  const connections = parsed.wholeNumber('parallel');
  return connections === undefined ? {} : { connections };
}

export function inputName(parsed: ParsedArguments): string {
  return parsed.text('name') ?? 'stdin';
}

export function linksOf(parsed: ParsedArguments): object {
  const links = parsed.text('links');
  return links === undefined ? {} : { links };
}

function checkStandardInput(from: readonly Location[], parsed: ParsedArguments): void {
  const most = parsed.flag('keep-open') ? 0 : 1;
  if (from.filter(({ scheme }) => scheme === 'stdio').length <= most) return;
  const what = most === 0 ? 'send -k of standard input: it' : 'send: standard input';
  throw new XferError('USAGE', `${what} can be read only once`, { hint: most === 0 ? 'name a file' : 'name - once' });
}
