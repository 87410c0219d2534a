/** What `xfer serve` over HTTP takes in. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { XferError } from '../../errors.js';
import { openSink } from '../../open.js';
import type { Sink } from '../../transport.js';
import type { AccessOptions } from '../../transports/http/listen/access/options.js';
import type { UploadOptions } from '../../transports/http/listen/upload/options.js';
import type { OptionName } from '../options.js';
import { stateDirectory } from '../own-directories.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { parseDuration, parseSize } from '../render/format.js';
import type { Surroundings } from '../surroundings.js';
import { INPUT } from './share.js';

/** What of it no other protocol has. */
export const UPLOAD_OPTIONS = [
  'upload-only',
  'overwrite',
  'manage',
  'max-size',
  'quota',
  'keep-parts',
] as const satisfies readonly OptionName[];

export interface Received {
  /** The caller closes it. */
  readonly sink: Sink;
  readonly options: { readonly receive: Sink; readonly upload: UploadOptions };
}

/** Where uploads go; undefined where none are taken. USAGE for what does not fit together; the errors of opening a sink. */
export async function whatIsReceived(
  paths: readonly string[],
  parsed: ParsedArguments,
  around: Surroundings,
): Promise<Received | undefined> {
  const only = parsed.flag('upload-only');
  if (!only && !parsed.flag('upload')) {
    const name = parsed.last(...UPLOAD_OPTIONS);
    if (name === undefined) return undefined;
    throw new XferError('USAGE', `option --${name}: nothing is uploaded`, { hint: 'add --upload' });
  }
  const [path = '.', another] = paths;
  if (path === INPUT || another !== undefined) {
    throw new XferError('USAGE', `serve ${paths.join(' ')}: uploads go into one directory`, {
      hint: 'xfer serve --upload inbox',
    });
  }
  if (only && parsed.text('max-downloads') !== undefined) {
    throw new XferError('USAGE', 'option --max-downloads: nothing is downloaded', {
      hint: '--once ends it after one upload, --expires 1h by the clock',
    });
  }
  if (only && parsed.flag('manage')) {
    throw new XferError('USAGE', 'option --manage: whoever cannot look at what is there would rename and remove it', {
      hint: '--upload-only alone is a drop box; with --upload --manage what is there is listed, too',
    });
  }
  const upload = uploadOptions(only, parsed);
  const sink = await openSink({ scheme: 'file', path }, { guarded: true }, { signal: around.signal });
  const place = createHash('sha256').update(sink.identity).digest('hex').slice(0, 32);
  const recordsDirectory = join(stateDirectory(around), 'uploads', place);
  return { sink, options: { receive: sink, upload: { ...upload, recordsDirectory } } };
}

function uploadOptions(only: boolean, parsed: ParsedArguments): UploadOptions {
  const [most, quota, keep] = [parsed.text('max-size'), parsed.text('quota'), parsed.text('keep-parts')];
  return {
    only,
    overwrite: parsed.flag('overwrite'),
    manage: parsed.flag('manage'),
    ...(parsed.flag('once') ? { mostFiles: 1 } : {}),
    ...(most === undefined ? {} : { mostFileBytes: parseSize('max-size', most) }),
    ...(quota === undefined ? {} : { quotaBytes: parseSize('quota', quota) }),
    ...(keep === undefined ? {} : { keepPartsMs: parseDuration('keep-parts', keep) }),
  };
}

/** What is to be said where whoever can connect may upload; undefined else. */
export function openToAllNotice({ accounts, token, allow }: AccessOptions): string | undefined {
  if (accounts || token !== undefined || allow) return undefined;
  return 'whoever can reach this address may put files here; --auth-file, --token or --allow say who may';
}
