/** Whether what a client is told can be done. */
import { COUNT, checkKinds, type Kinds, oneOf, PORT, TEXT, TEXTS } from '../../option-rules.js';
import type { SshOptions } from './ssh-options.js';

const KINDS: Kinds<SshOptions> = {
  configFile: TEXT,
  options: TEXTS,
  identityFiles: TEXTS,
  port: PORT,
  program: TEXT,
  sftpServer: TEXT,
  protocol: oneOf('scp', 'sftp'),
  requests: COUNT,
  requestBytes: COUNT,
  parallel: COUNT,
};

/** USAGE for the first option that is there and cannot be followed. */
export function checkSshOptions(options: SshOptions): void {
  checkKinds('ssh', options, KINDS);
}
