/** `xfer pipe` with a key. */
import type { Writable } from 'node:stream';
import type { ParsedArguments } from '../../parsed-arguments.js';
import { openReport } from '../../run-copy.js';
import type { Surroundings } from '../../surroundings.js';
import { connectAgain, retriesOf } from '../connect-again.js';
import { tellPiped } from '../passed.js';
import { sealedEnd } from './sealed-end.js';
import type { SealedTarget } from './where.js';

/** Connects standard input and `output` to an end that holds the same key. Rejects as `openPipe` and `sealedPipe` do. */
export async function pipeSealed(
  { to, others }: SealedTarget,
  output: Writable,
  parsed: ParsedArguments,
  around: Surroundings,
): Promise<void> {
  const report = await openReport(parsed, around);
  const { options } = await sealedEnd('pipe', to.listen === true, parsed, around, report);
  const scope = { signal: around.signal };
  const { openPipe, sealedPipe } = await import('../../../transports/tcp/sealed/pipe.js');
  const opening = {
    role: 'pipe',
    to,
    retries: retriesOf(parsed),
    sealed: true,
    report,
    signal: around.signal,
  } as const;
  const lane = await connectAgain(() => openPipe(to, others, options, scope), opening);
  const result = await sealedPipe(lane, { input: around.stdin, output }, scope, report.onNotice);
  if (parsed.flag('json') || parsed.flag('verbose')) tellPiped(result, report);
}
