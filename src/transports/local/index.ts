/** The file system of this machine. */
import { XferError } from '../../errors.js';
import type { Location } from '../../location.js';
import type { OpenOptions, Transport } from '../../transport.js';
import { openLocalSink } from './sink.js';
import { openLocalSource } from './source.js';

export { openLocalSink } from './sink.js';
export { openLocalSource } from './source.js';

export const transport: Transport = {
  scheme: 'file',
  aliases: [],
  summary: 'files on this machine',
  openSource: (location: Location, options: OpenOptions) => openLocalSource(pathOf(location), options),
  openSink: (location: Location, options: OpenOptions) => openLocalSink(pathOf(location), options),
};

function pathOf(location: Location): string {
  if (location.path === '') throw new XferError('USAGE', 'the path is empty', { hint: 'name a file or a directory' });
  return location.path;
}
