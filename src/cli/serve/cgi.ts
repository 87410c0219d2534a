/** The options of programs that answer requests. */
import { XferError } from '../../errors.js';
import type { HttpListenOptions } from '../../transports/http/listen/options.js';
import type { ParsedArguments } from '../parsed-arguments.js';

const USUAL_DIRECTORY = 'cgi-bin';

/** `--cgi`, `--cgi-dir` and `--cgi-timeout`. USAGE for a time without any program, and for one that is none. */
export function whatIsRun(parsed: ParsedArguments): Partial<HttpListenOptions> {
  const directories = parsed.list('cgi-dir').map((typed) => typed.replace(/^\/+|\/+$/g, ''));
  if (parsed.flag('cgi')) directories.unshift(USUAL_DIRECTORY);
  const timeoutMs = parsed.milliseconds('cgi-timeout');
  if (directories.length > 0) {
    return { cgi: { directories, ...(timeoutMs === undefined ? {} : { timeoutMs }) } };
  }
  if (timeoutMs === undefined) return {};
  throw new XferError('USAGE', 'option --cgi-timeout: no program is run', { hint: 'add --cgi' });
}
