/** `scp -R`: each source's host copies to the target's host by itself. */
import { toXferError, XferError } from '../errors.js';
import { describeLocation, type Location } from '../location.js';
import type { OptionName } from './options.js';
import type { ParsedArguments } from './parsed-arguments.js';
import { openOptions, openReport } from './run-copy.js';
import { sshOptions } from './ssh-options.js';
import type { Surroundings } from './surroundings.js';

/** What the far scp cannot be told. */
const OURS_ALONE: readonly OptionName[] = [
  'dry-run',
  'exclude',
  'include',
  'limit',
  'limit-kbit',
  'links',
  'no-clobber',
  'update',
  'verify',
];

/**
 * Copies one source after the other. UNSUPPORTED for local sources and for what a far scp cannot do, PARTIAL where some
 * of several failed, the failure itself where there is but one source.
 */
export async function runDirect(
  { from, to }: { readonly from: readonly Location[]; readonly to: Location },
  parsed: ParsedArguments,
  around: Surroundings,
): Promise<void> {
  refuse(from, parsed);
  const { copyDirect } = await import('../transports/ssh/direct-copy.js');
  const report = await openReport(parsed, around);
  const request = { from, to, transportOptions: sshOptions(parsed), neverAsk: parsed.flag('batch') };
  const options = openOptions(request, parsed, around, report);
  const wanted = {
    to,
    recursive: parsed.flag('recursive'),
    preserve: parsed.flag('preserve'),
    intoDirectory: from.length > 1,
  };
  let failed = 0;
  try {
    for (const source of from) {
      const path = describeLocation(source);
      try {
        await copyDirect({ ...wanted, from: source }, options, { signal: around.signal });
        report.tell(`${path}: copied to ${describeLocation(to)} by ${source.host}`, { type: 'finish', path });
      } catch (thrown) {
        if (from.length === 1 || around.signal.aborted) throw thrown;
        const error = toXferError(thrown, `copy ${path}`);
        failed += 1;
        report.fail({ path, error });
      }
    }
  } finally {
    report.end();
  }
  if (failed > 0) throw new XferError('PARTIAL', `copy: ${failed} of ${from.length} failed`);
}

function refuse(from: readonly Location[], parsed: ParsedArguments): void {
  const local = from.find(({ scheme }) => scheme === 'file');
  if (local) {
    throw new XferError('UNSUPPORTED', `copy ${describeLocation(local)}: with -R every source is on another host`, {
      hint: 'copy it by a command of its own',
    });
  }
  const given = parsed.last(...OURS_ALONE);
  if (given === undefined) return;
  throw new XferError('UNSUPPORTED', `option --${given}: a scp on another host cannot be told`, {
    hint: 'leave -R out',
  });
}
