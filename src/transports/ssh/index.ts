/** Files on any machine with an SSH server that has sftp. */
import { XferError } from '../../errors.js';
import { describeLocation, type Location } from '../../location.js';
import type { OpenOptions, Scope, Transport } from '../../transport.js';
import { resolveSshConfig, type SshConfig } from './config.js';
import { SshConnection } from './connection.js';
import { SessionPool } from './session-pool.js';
import type { SftpClient } from './sftp-client.js';
import { SftpSink } from './sink.js';
import { SftpSource } from './source.js';

/** What ssh's own options say, beside what every transport takes. */
export interface SshOptions extends OpenOptions {
  /** `-F` */
  readonly configFile?: string;
  /** `-o`, each `Keyword=value`. */
  readonly options?: readonly string[];
  /** `-i` */
  readonly identityFiles?: readonly string[];
  /** `-P`; a port in the location wins. */
  readonly port?: number;
  /** `-C` */
  readonly compression?: boolean;
  /** `-A`: lets the far host use the agent. */
  readonly forwardAgent?: boolean;
  /** `-S`: a program to start in place of our own SSH, with ssh's arguments. */
  readonly program?: string;
  /** `-D`: an sftp server to start here and speak to, without SSH. */
  readonly sftpServer?: string;
  /** `-O` and `-s`; absent: sftp, and the old protocol, announced, where the server has no sftp. */
  readonly protocol?: 'scp' | 'sftp';
  /** `-X nrequests=`: requests on their way at once on one file. */
  readonly requests?: number;
  /** `-X buffer=`: bytes of one request at most. */
  readonly requestBytes?: number;
  /** `--parallel`: channels for one large file; 1 means one channel. Absent: as many as pay. */
  readonly parallel?: number;
  /** Each step of the protocol as a notice. */
  readonly verbose?: boolean;
}

export const transport: Transport = {
  scheme: 'sftp',
  aliases: ['scp', 'ssh'],
  summary: 'files on a machine with an SSH server: [user@]host:path or sftp://[user@]host[:port]/path',
  defaultPort: 22,

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
  const config = await configFor(location, options);
  const { prompt, onNotice, verbose } = options;
  const connection = await SshConnection.open({ config, prompt, onNotice, verbose, scope });
  try {
    const client = await connection.openSftp(scope);
    const account = `sftp://${config.user}@${config.hostName}:${config.port}`;
    const label = describeLocation(location);
    const pool = new SessionPool(client, (signal) => connection.openSftp({ signal }));
    const onClose = () => {
      pool.stop();
      return connection.close();
    };
    return await open({ client, pick: pool.pick, path: location.path, label, account, onClose });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function configFor(location: Location, options: SshOptions): Promise<SshConfig> {
  const { host, user } = location;
  if (host === undefined) throw new XferError('USAGE', `location ${location.path}: names no host`);
  const config = await resolveSshConfig({
    host,
    user,
    port: location.port ?? options.port,
    configFile: options.configFile,
    options: options.options,
    identityFiles: options.identityFiles,
  });
  return { ...config, compression: options.compression ?? config.compression };
}
