/** Files on any machine with an SSH server that has sftp. */
import { XferError } from '../../errors.js';
import { describeLocation, type Location } from '../../location.js';
import { printable } from '../../names.js';
import type { Scope, Transport } from '../../transport.js';
import { expandGlob, isPattern } from './glob.js';
import { openCarrier } from './open-carrier.js';
import { Sessions } from './sessions.js';
import { SftpSink } from './sink.js';
import { SftpSource } from './source.js';
import type { SshOptions } from './ssh-options.js';

export type { SshOptions } from './ssh-options.js';

export const transport: Transport = {
  scheme: 'sftp',
  aliases: ['scp', 'ssh'],
  summary: 'files on a machine with an SSH server: [user@]host:path or sftp://[user@]host[:port]/path',
  defaultPort: 22,

  async expand(location, options: SshOptions, scope) {
    // The old protocol leaves patterns to the far shell; what cannot be opened is told where it is opened to be read.
    if (options.protocol === 'scp' || !isPattern(location.path)) return [location];
    try {
      return await openOn(location, options, scope, async ({ sessions, path }) => {
        const paths = await expandGlob(await sessions.pick(scope), path, scope);
        await sessions.close();
        return paths.map((each) => ({ ...location, path: each }));
      });
    } catch (error) {
      if (error instanceof XferError && error.code === 'UNSUPPORTED') return [location];
      throw error;
    }
  },

  async openSource(location, options: SshOptions, scope) {
    const { links } = options;
    return openOn(location, options, scope, (opened) =>
      SftpSource.open({ ...opened, ...(links ? { links } : {}) }, scope),
    );
  },

  async openSink(location, options: SshOptions, scope) {
    const { onNotice } = options;
    return openOn(location, options, scope, (opened) =>
      SftpSink.open({ ...opened, ...(onNotice ? { onNotice } : {}) }, scope),
    );
  },
};

interface Opened {
  readonly sessions: Sessions;
  readonly path: string;
  readonly label: string;
}

/** Connects, and leaves nothing open where `open` fails. */
async function openOn<T>(
  location: Location,
  options: SshOptions,
  scope: Scope,
  open: (opened: Opened) => Promise<T>,
): Promise<T> {
  const { onNotice, parallel } = options;
  const label = printable(location.host ?? location.path);
  const dial = (dialing: Scope) => openCarrier(location, options, dialing);
  const sessions = await Sessions.open({ dial, label, parallel, ...(onNotice ? { onNotice } : {}) }, scope);
  try {
    return await open({ sessions, path: location.path, label: describeLocation(location) });
  } catch (error) {
    await sessions.close();
    throw error;
  }
}
