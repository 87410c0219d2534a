/** The scripts of a share, and the share without them. */
import { timerMs } from '../../../../concurrency/longest-timer.js';
import { XferError } from '../../../../errors.js';
import { pathParts } from '../../../../names.js';
import type { Scope } from '../../../../transport.js';
import type { SharedSource } from '../sharing.js';
import { Cgi } from './cgi.js';
import type { CgiOptions } from './options.js';
import { type PlacedSource, ScriptlessShare } from './scriptless-share.js';

const DIRECTORY = 'cgi-bin';
const TIMEOUT_MS = 60_000;
const MOST_BODY_BYTES = 2 ** 30;
const MOST_SCRIPTS = 32;

export interface Opened {
  readonly cgi: Cgi;
  readonly share: SharedSource;
}

/** UNSUPPORTED where the share is on no disk, USAGE for what is no directory below it, NOT_FOUND where one is missing. */
export async function openCgi(
  share: SharedSource,
  options: CgiOptions,
  idleTimeoutMs: number,
  scope: Scope,
  onNotice: (line: string) => void = () => undefined,
): Promise<Opened> {
  if (!isPlaced(share)) {
    throw new XferError('UNSUPPORTED', `serve ${share.label}: its scripts are on no disk of this machine`);
  }
  const { directories = [DIRECTORY] } = options;
  const timeoutMs = timerMs('cgi.timeoutMs', options.timeoutMs ?? TIMEOUT_MS);
  for (const directory of directories) {
    if (directory === '' || !pathParts(directory)) {
      throw new XferError('USAGE', `cgi directory /${directory}: not a directory below the served one`);
    }
    if ((await share.stat(directory, scope))?.kind === 'directory') continue;
    throw new XferError('NOT_FOUND', `cgi directory /${directory}: no such directory in ${share.label}`, {
      hint: `mkdir ${directory}`,
    });
  }
  const { maxBodyBytes = MOST_BODY_BYTES, maxScripts = MOST_SCRIPTS } = options;
  const cgi = new Cgi({ share, directories, timeoutMs, maxBodyBytes, maxScripts, idleTimeoutMs, onNotice });
  return { cgi, share: new ScriptlessShare(share, directories) };
}

function isPlaced(share: SharedSource): share is PlacedSource {
  return share.place !== undefined;
}
