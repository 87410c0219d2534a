/** `xfer serve --sftp`: shares a directory over SFTP, with those who can log in. */
import { join } from 'node:path';
import { type Account, oneTimePassword, parseAccount, parseAccounts } from '../../accounts.js';
import { XferError } from '../../errors.js';
import { urlForOthers } from '../../listener-urls.js';
import { printable } from '../../names.js';
import { listen, openSink, openSource } from '../../open.js';
import type { Listener, Sink, Source } from '../../transport.js';
import { readNamedFile } from '../../transports/ssh/config/files.js';
import { formatRecord, type SshRecord } from '../../transports/ssh/listen/access-log.js';
import { loadHostKey, type ServedHostKey } from '../../transports/ssh/listen/host-key-file.js';
import type { SshListenOptions } from '../../transports/ssh/listen/index.js';
import type { ServeOperands } from '../commands/serve.js';
import { configDirectory } from '../own-directories.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { jsonLine } from '../render/json.js';
import { openReport } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';
import { untilStopped } from '../until-stopped.js';
import { placesOf } from './announce.js';
import { whereItListens } from './where.js';

/** Who logs in with the password that is made for one run. */
const GUEST = 'xfer';
const MOST_FILE_BYTES = 1 << 20;
/** Web sites and their programs. */
const SITES = ['site', 'single', 'cgi', 'cgi-dir', 'cgi-timeout'] as const;

export async function serveSftp(operands: ServeOperands, parsed: ParsedArguments, around: Surroundings): Promise<void> {
  checkSftp(parsed);
  const [directory = '.', another] = operands.paths;
  if (another !== undefined) {
    throw new XferError('USAGE', `serve ${another}: over SFTP one directory is shared`, {
      hint: `share the directory that ${directory} and ${another} are in`,
    });
  }
  const where = whereItListens(operands, parsed, around);
  const report = await openReport(parsed, around);
  const { accounts, guest, authorizedKeys } = await whoMayLogIn(parsed);
  const hostKey = await loadHostKey(join(configDirectory(around), 'ssh_host_ed25519_key'), around.platform);
  const json = parsed.flag('json');
  const scope = { signal: around.signal };
  const ends: (Source | Sink)[] = [];
  try {
    const share = await openSource({ scheme: 'file', path: directory }, { links: 'keep' }, scope);
    ends.push(share);
    const receive = parsed.flag('upload') ? await openSink({ scheme: 'file', path: directory }, {}, scope) : undefined;
    if (receive) ends.push(receive);
    // Its own signal: an abort would cut the transfers that the grace lets end.
    const listener = await listen<Partial<SshListenOptions>>('sftp', {
      share,
      ...where,
      accounts,
      hostKey,
      onNotice: report.onNotice,
      onRecord: (record: SshRecord) => {
        if (json) around.stdout.write(jsonLine(record));
        else if (!parsed.flag('quiet')) around.stdout.write(`${formatRecord(record)}\n`);
      },
      ...(receive ? { receive } : {}),
      ...(authorizedKeys === undefined ? {} : { authorizedKeys }),
    });
    const users = accounts.map(({ user }) => user);
    announce({ listener, hostKey, users, guest, upload: receive !== undefined }, json, around);
    await untilStopped(listener, around.signal, report);
  } finally {
    for (const end of ends) await end.close();
  }
}

/** What is asked for and not done would be taken for done. */
function checkSftp(parsed: ParsedArguments): void {
  const encryption = parsed.last('tls', 'cert', 'key');
  if (encryption !== undefined) {
    throw new XferError('UNSUPPORTED', `option --${encryption}: SFTP has keys of its own, and is always encrypted`, {
      hint: 'leave it out',
    });
  }
  const other = parsed.last('mdns', 'qr', 'open', 'limit', 'limit-client', 'log', 'metrics', ...SITES);
  if (other === undefined) return;
  throw new XferError('UNSUPPORTED', `option --${other}: not over SFTP`, { hint: 'leave it or --sftp out' });
}

interface Who {
  readonly accounts: readonly Account[];
  /** The account that is made where nobody is named. */
  readonly guest?: Account;
  readonly authorizedKeys?: string;
}

/** USAGE for what is no account; the file's errors. */
async function whoMayLogIn(parsed: ParsedArguments): Promise<Who> {
  const [file, authorizedKeys] = [parsed.text('auth-file'), parsed.text('authorized-keys')];
  const accounts = parsed.list('auth').map(parseAccount);
  if (file !== undefined) accounts.push(...parseAccounts(await readNamedFile(file, MOST_FILE_BYTES, 'accounts')));
  if (authorizedKeys !== undefined) return { accounts, authorizedKeys };
  if (accounts.length > 0) return { accounts };
  if (file !== undefined) throw new XferError('USAGE', `accounts ${file}: none is in it`);
  const guest = { user: GUEST, password: oneTimePassword() };
  return { accounts: [guest], guest };
}

interface Served {
  readonly listener: Listener;
  readonly hostKey: ServedHostKey;
  readonly users: readonly string[];
  readonly guest: Account | undefined;
  readonly upload: boolean;
}

function announce(served: Served, json: boolean, around: Surroundings): void {
  const { listener, hostKey, users, guest, upload } = served;
  const { urls, address, sockets } = listener;
  if (!json) {
    around.stdout.write(`${lines(served).join('\n')}\n`);
    return;
  }
  const [, fingerprint] = hostKey.description.split(' ');
  around.stdout.write(jsonLine({ type: 'listening', ...address, urls, sockets, fingerprint, users, upload }));
  // The events may be kept somewhere; a password is for the person who reads this now.
  if (guest) around.stderr.write(`user ${guest.user}, password ${guest.password}\n`);
}

function lines({ listener, hostKey, users, guest, upload }: Served): string[] {
  const { urls, address } = listener;
  const away = urlForOthers(urls) ?? urls[0];
  const host = away === undefined ? 'localhost' : new URL(away).hostname;
  const user = printable(users[0] ?? GUEST);
  const port = `-P ${address.port}`;
  const commands = [
    `download with: xfer scp ${port} ${user}@${host}:FILE .`,
    ...(upload ? [`upload with: xfer scp ${port} FILE ${user}@${host}:`] : []),
    `or: sftp ${port} ${user}@${host}`,
  ];
  return [
    ...placesOf(listener).map((place) => `serving on ${place}${upload ? '' : ' (to be read only)'}`),
    `host key ${hostKey.description}`,
    ...(guest ? [`user ${guest.user}, password ${guest.password}`] : []),
    ...(away === undefined ? [] : commands),
  ];
}
