/** Files on any machine with an SSH server that has sftp. */
import { XferError } from '../../errors.js';
import { describeLocation, type Location } from '../../location.js';
import type { Scope, Transport } from '../../transport.js';
import { expandGlob, isPattern } from './glob.js';
import { openCarrier } from './open-carrier.js';
import { SessionPool } from './session-pool.js';
import type { SftpClient } from './sftp-client.js';
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
      return await openOn(location, options, scope, async ({ client, path, onClose }) => {
        const paths = await expandGlob(client, path, scope);
        await onClose();
        return paths.map((each) => ({ ...location, path: each }));
      });
    } catch (error) {
      if (error instanceof XferError && error.code === 'UNSUPPORTED') return [location];
      throw error;
    }
  },

  async openSource(location, options: SshOptions, scope) {
    const { links } = options;
    return openOn(location, options, scope, (session) =>
      SftpSource.open({ ...session, ...(links ? { links } : {}) }, scope),
    );
  },

  async openSink(location, options: SshOptions, scope) {
    const { onNotice } = options;
    return openOn(location, options, scope, (session) =>
      SftpSink.open({ ...session, ...(onNotice ? { onNotice } : {}) }, scope),
    );
  },
};

interface Session {
  readonly client: SftpClient;
  readonly pick: () => SftpClient;
  readonly path: string;
  readonly label: string;
  readonly account: string;
  readonly onClose: () => Promise<void>;
}

/** Connects, and leaves nothing open where `open` fails. */
async function openOn<T>(
  location: Location,
  options: SshOptions,
  scope: Scope,
  open: (session: Session) => Promise<T>,
): Promise<T> {
  const carrier = await openCarrier(location, options, scope);
  try {
    const client = await carrier.openSftp(scope);
    const label = describeLocation(location);
    const another = (signal: AbortSignal) => carrier.openSftp({ signal });
    const pool = new SessionPool(client, carrier.loginPerSession ? undefined : another);
    const onClose = () => {
      pool.stop();
      return carrier.close();
    };
    return await open({ client, pick: pool.pick, path: location.path, label, account: carrier.account, onClose });
  } catch (error) {
    await carrier.close();
    throw error;
  }
}
