/** How `xfer serve` logs its requests. */
import { type AccessFormat, type AccessRecord, formatAccess } from '../../transports/http/listen/log/access-log.js';
import type { HttpListenOptions } from '../../transports/http/listen/options.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { jsonLine } from '../render/json.js';

/** Each request as a line for `log`, in the way that `--log`, `--json` and `--quiet` ask for. */
export function whatIsLogged(parsed: ParsedArguments, log: (line: string) => void): Partial<HttpListenOptions> {
  const chosen = parsed.text('log') ?? 'common';
  if (chosen === 'off' || (parsed.flag('quiet') && !parsed.flag('json'))) return {};
  const asJson = parsed.flag('json') || chosen === 'json';
  const toLine = (record: AccessRecord): string =>
    asJson ? jsonLine({ type: 'request', ...record }).trimEnd() : formatAccess(record, chosen as AccessFormat);
  return { onRequest: (record) => log(toLine(record)) };
}
