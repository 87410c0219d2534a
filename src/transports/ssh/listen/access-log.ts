/** What is told of each login and each file that went over, and the line that a log holds of it. */
import { printable } from '../../../names.js';

interface Common {
  readonly time: Date;
  /** Address of the client. */
  readonly client: string;
  /** As the client gave it: text from outside. */
  readonly user: string;
}

export interface LoginRecord extends Common {
  readonly type: 'login';
  readonly method: 'password' | 'publickey';
  readonly accepted: boolean;
}

export interface FileRecord extends Common {
  readonly type: 'file';
  readonly direction: 'get' | 'put';
  /** Below the root. */
  readonly path: string;
  readonly bytes: number;
  readonly durationMs: number;
  /** The client went before it closed the file. */
  readonly aborted: boolean;
}

export type SshRecord = LoginRecord | FileRecord;

/** A record as one line, with nothing in it that a terminal could obey. */
export function formatRecord(record: SshRecord): string {
  const { time, client, user } = record;
  const who = `${time.toISOString()} ${printable(client)} ${printable(user.slice(0, 64)).replaceAll(' ', '\\x20')}`;
  if (record.type === 'login') return `${who} login ${record.accepted ? 'accepted' : 'refused'} (${record.method})`;
  const { direction, path, bytes, aborted } = record;
  return `${who} ${direction} ${printable(JSON.stringify(`/${path}`))} ${bytes} bytes${aborted ? ', aborted' : ''}`;
}
