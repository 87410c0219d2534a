/** The options of the table -> what the engine is told. */
import type { CopyOptions } from '../copy/index.js';
import { Limiter } from '../copy/limiter.js';
import { XferError } from '../errors.js';
import type { ParsedArguments } from './parsed-arguments.js';
import { parseRate } from './render/format.js';

/** scp counts 1,024 bits in a kbit (scp.c, `limit_kbps *= 1024`), and takes so many of them at most. */
const BYTES_PER_KBIT = 128;
const MAX_KBITS = 100 * 1024 * 1024;

/** USAGE where a value is not of its kind, or two options exclude each other. */
export function copyOptions(parsed: ParsedArguments): CopyOptions {
  const lanes = parsed.wholeNumber('parallel');
  const filesInFlight = parsed.wholeNumber('files-in-flight');
  const retries = parsed.wholeNumber('retry', 0);
  return {
    preserve: parsed.flag('preserve'),
    dryRun: parsed.flag('dry-run'),
    exclude: parsed.list('exclude'),
    include: parsed.list('include'),
    ...overwritePolicy(parsed),
    ...rateLimit(parsed),
    ...(lanes === undefined ? {} : { lanes }),
    ...(filesInFlight === undefined ? {} : { filesInFlight }),
    ...(retries === undefined ? {} : { retry: { attempts: retries + 1 } }),
    ...(parsed.flag('verify') ? { verify: 'sha256' } : {}),
  };
}

/** One rate for several transfers together. USAGE as `copyOptions`. */
export function sharedLimit(parsed: ParsedArguments): { readonly limiter?: Limiter } {
  const { limitBytesPerSecond: rate } = rateLimit(parsed);
  return rate === undefined ? {} : { limiter: new Limiter(rate) };
}

function overwritePolicy(parsed: ParsedArguments): Pick<CopyOptions, 'overwrite'> {
  const never = parsed.flag('no-clobber');
  const newer = parsed.flag('update');
  if (never && newer) throw new XferError('USAGE', 'options --no-clobber and --update exclude each other');
  return never ? { overwrite: 'never' } : newer ? { overwrite: 'newer' } : {};
}

/** `--limit` in bytes, or scp's `-l` in kbit, a second. */
function rateLimit(parsed: ParsedArguments): Pick<CopyOptions, 'limitBytesPerSecond'> {
  const rate = parsed.text('limit');
  const kbits = parsed.wholeNumber('limit-kbit', 1, MAX_KBITS);
  if (rate !== undefined && kbits !== undefined) {
    throw new XferError('USAGE', 'options --limit and -l exclude each other');
  }
  if (kbits !== undefined) return { limitBytesPerSecond: kbits * BYTES_PER_KBIT };
  return rate === undefined ? {} : { limitBytesPerSecond: parseRate('limit', rate) };
}
