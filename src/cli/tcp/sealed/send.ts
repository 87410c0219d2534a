/** `xfer send` with a key: files and trees to a sealed receiver. */
import { XferError } from '../../../errors.js';
import type { Location } from '../../../location.js';
import type { SealedSendOptions } from '../../../transports/tcp/sealed/open.js';
import type { ParsedArguments } from '../../parsed-arguments.js';
import type { Report } from '../../render/report.js';
import { type CopyRequest, runCopy } from '../../run-copy.js';
import type { Surroundings } from '../../surroundings.js';
import { connectAgain } from '../connect-again.js';
import { tcpOptions } from '../tcp-options.js';
import { findKey } from './key.js';
import { offerOf } from './offer.js';
import { tellWaiting } from './waiting.js';
import type { SealedTarget } from './where.js';

/** Where no --retry says otherwise: about a minute for the other end to be up, or to come back. */
const USUAL_RETRIES = 60;

/** Copies to the receiver, as `runCopy` does; the names, modes and times are kept, and each file is proved by its SHA-256. */
export async function sendSealed(
  from: readonly Location[],
  target: SealedTarget,
  parsed: ParsedArguments,
  around: Surroundings,
): Promise<void> {
  checkStandardInput(from);
  return runCopy((report) => request(from, target, parsed, around, report), parsed, around);
}

async function request(
  from: readonly Location[],
  { to, others }: SealedTarget,
  parsed: ParsedArguments,
  around: Surroundings,
  report: Report,
): Promise<CopyRequest> {
  const found = await findKey(to.listen === true, parsed, around, report);
  const told = tcpOptions(parsed, report, 'send');
  const links = parsed.text('links');
  const inputName = parsed.text('name') ?? 'stdin';
  const connections = parsed.wholeNumber('parallel');
  const sealed: SealedSendOptions = {
    ...told,
    key: found.key,
    others,
    onNotice: report.onNotice,
    onListening: (bound) => tellWaiting('send', bound, found, report, around),
    offer: () => offerOf(from, inputName, links === undefined ? {} : { links }, around.signal),
    ...(connections === undefined ? {} : { connections }),
  };
  const retries = parsed.wholeNumber('retry', 0) ?? USUAL_RETRIES;
  return {
    from,
    to,
    transportOptions: { sealed, inputName },
    copyOptions: {
      recursive: true,
      preserve: true,
      verify: 'sha256',
      retry: { attempts: retries + 1, maxDelayMs: 1000 },
    },
    openAgain: (open) => connectAgain(open, { role: 'send', to, retries, sealed: true, report, signal: around.signal }),
  };
}

function checkStandardInput(from: readonly Location[]): void {
  if (from.filter(({ scheme }) => scheme === 'stdio').length <= 1) return;
  throw new XferError('USAGE', 'send: standard input can be read only once', { hint: 'name - once' });
}
