/** `xfer serve --sftp`: shares a directory over SFTP, with those who can log in. */
import { join } from 'node:path';
import { XferError } from '../../errors.js';
import { type Account, randomSecret } from '../../listening/accounts.js';
import { urlForOthers } from '../../listening/listener-urls.js';
import { printable } from '../../names.js';
import { listen, openSink, openSource } from '../../open.js';
import type { Listener, Sink, Source } from '../../transport.js';
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
import { ACCESS_OPTIONS } from './access.js';
import { readAccounts } from './accounts.js';
import { placesOf } from './announce.js';
import { refuseOptions } from './refuse-options.js';
import { INPUT } from './share.js';
import { UPLOAD_OPTIONS } from './upload.js';
import { typedBeforePort, whereItListens } from './where.js';

/** What only HTTP has. */
const HTTP_OPTIONS = [
  ...ACCESS_OPTIONS,
  ...(['name', 'mdns', 'qr', 'open', 'limit', 'limit-client', 'log', 'metrics'] as const),
  ...(['site', 'single', 'cgi', 'cgi-dir', 'cgi-timeout'] as const),
  ...UPLOAD_OPTIONS,
];

/** Who logs in with the password that is made for one run. */
const GUEST = 'xfer';

export async function serveSftp(operands: ServeOperands, parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const directory = checkWhatIsServed(operands, parsed);
  const where = whereItListens(operands, parsed, around);
  const report = await openReport(parsed, around);
  const { accounts, guest, authorizedKeys } = await whoMayLogIn(parsed);
  const hostKey = await loadHostKey(join(configDirectory(around), 'ssh_host_ed25519_key'), around.platform);
  const scope = { signal: around.signal };
  const ends: (Source | Sink)[] = [];
  try {
    const share = await openSource({ scheme: 'file', path: directory }, { links: 'keep' }, scope);
    ends.push(share);
    const receive = parsed.flag('upload')
      ? await openSink({ scheme: 'file', path: directory }, { guarded: true }, scope)
      : undefined;
    if (receive) ends.push(receive);
    // Its own signal: an abort would cut the transfers that the grace lets end.
    const listener = await listen<Partial<SshListenOptions>>('sftp', {
      share,
      ...where,
      example: typedBeforePort(operands, parsed),
      accounts,
      hostKey,
      onNotice: report.onNotice,
      onRecord: logTo(parsed, around),
      ...(receive ? { receive } : {}),
      ...(authorizedKeys === undefined ? {} : { authorizedKeys }),
    });
    const users = accounts.map(({ user }) => user);
    announce({ listener, hostKey, users, guest, upload: receive !== undefined }, parsed.flag('json'), around);
    await untilStopped(listener, around.signal, report);
  } finally {
    for (const end of ends) await end.close();
  }
}

/** The one directory. USAGE and UNSUPPORTED for what is not shared over SFTP, or not so. */
function checkWhatIsServed({ paths }: ServeOperands, parsed: ParsedArguments): string {
  const always = 'over SFTP, which is always encrypted, with keys of its own';
  refuseOptions(parsed, ['tls', 'cert', 'key'], always, 'leave it out');
  refuseOptions(parsed, HTTP_OPTIONS, 'over SFTP', 'leave out --sftp');
  const [directory = '.', another] = paths;
  if (directory === INPUT) {
    throw new XferError('UNSUPPORTED', 'serve -: not over SFTP, which has to know lengths', {
      hint: 'leave out --sftp',
    });
  }
  if (another === undefined) return directory;
  throw new XferError('USAGE', `serve ${another}: over SFTP one directory is shared`, {
    hint: `share the directory that ${directory} and ${another} are in`,
  });
}

function logTo(parsed: ParsedArguments, { stdout }: Surroundings): (record: SshRecord) => void {
  if (parsed.flag('json')) return (record) => void stdout.write(jsonLine(record));
  return (record) => {
    if (!parsed.flag('quiet')) stdout.write(`${formatRecord(record)}\n`);
  };
}

interface Who {
  readonly accounts: readonly Account[];
  /** The account that is made where nobody is named. */
  readonly guest?: Account;
  readonly authorizedKeys?: string;
}

/** Rejects as `readAccounts`. */
async function whoMayLogIn(parsed: ParsedArguments): Promise<Who> {
  const accounts = await readAccounts(parsed);
  const authorizedKeys = parsed.text('authorized-keys');
  if (authorizedKeys !== undefined) return { accounts, authorizedKeys };
  if (accounts.length > 0) return { accounts };
  const guest = { user: GUEST, password: randomSecret() };
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
