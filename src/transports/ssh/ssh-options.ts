import type { OpenOptions } from '../../transport.js';

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
  /** `-r`, said to the far side by the old protocol. Absent: directories are taken as they come. */
  readonly recursive?: boolean;
  /** `-p`, said to the far side by the old protocol. Absent: times are asked for, and a sink leaves modes to the umask. */
  readonly preserve?: boolean;
  /** False for `-T`: in the old protocol, names that do not match what was typed are taken too. */
  readonly strictNames?: boolean;
  /** `-X nrequests=`: requests on their way at once on one file. */
  readonly requests?: number;
  /** `-X buffer=`: bytes of one request at most. */
  readonly requestBytes?: number;
  /** `--parallel`: channels for one large file; 1 means one channel. Absent: as many as pay. */
  readonly parallel?: number;
  /** Each step of the protocol as a notice. */
  readonly verbose?: boolean;
}
