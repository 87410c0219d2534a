/** The one table of options. The parser, `--help` and the completion scripts read it; a new option is a new row. */

export const COMMAND_NAMES = ['scp', 'serve', 'get', 'put', 'send', 'recv', 'pipe', 'cp', 'completion'] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

export interface Option {
  /** Long name, without its dashes. */
  readonly name: string;
  /** One letter or digit, without its dash. */
  readonly alias?: string;
  /** `flag` takes no value; `count` is a flag that may be repeated; `list` takes a value each time it is given. */
  readonly type: 'flag' | 'count' | 'text' | 'number' | 'list';
  /** What `--help` calls the value. */
  readonly argument?: string;
  readonly choices?: readonly string[];
  readonly description: string;
  readonly commands: readonly CommandName[];
  /** Its heading in `--help`. */
  readonly group: string;
  /** Another name of that option. */
  readonly sameAs?: string;
  /** Known, and refused with UNSUPPORTED; the description says why. */
  readonly refused?: true;
  /** An empty value says something; else it is USAGE, because it is a variable that was not set. */
  readonly mayBeEmpty?: true;
}

type Row<Name extends string> = Omit<Option, 'name' | 'group' | 'commands'> & { readonly name: Name };

function row<Name extends string>(
  name: Name,
  alias: string,
  rest: Omit<Option, 'name' | 'alias' | 'group' | 'commands'>,
) {
  return { name, ...(alias === '' ? {} : { alias }), ...rest };
}

/** The builders of rows: name, letter or `''`, what the value is called (`a|b` are its choices), description. */
const flag = <Name extends string>(name: Name, alias: string, description: string): Row<Name> =>
  row(name, alias, { type: 'flag', description });
const count = <Name extends string>(name: Name, alias: string, description: string): Row<Name> =>
  row(name, alias, { type: 'count', description });
const number = <Name extends string>(name: Name, alias: string, argument: string, description: string): Row<Name> =>
  row(name, alias, { type: 'number', argument, description });
const list = <Name extends string>(name: Name, alias: string, argument: string, description: string): Row<Name> =>
  row(name, alias, { type: 'list', argument, description });
const text = <Name extends string>(name: Name, alias: string, argument: string, description: string): Row<Name> =>
  row(name, alias, {
    type: 'text',
    argument,
    description,
    ...(argument.includes('|') ? { choices: argument.split('|') } : {}),
  });
const sameAs = <Name extends string>(other: string, option: Row<Name>): Row<Name> => ({ ...option, sameAs: other });
const orEmpty = <Name extends string>(option: Row<Name>): Row<Name> => ({ ...option, mayBeEmpty: true });
const refused = <Name extends string>(option: Row<Name>): Row<Name> => ({ ...option, refused: true });

/** Rows of one group, for the same commands. */
function section<Name extends string>(group: string, commands: readonly CommandName[], rows: readonly Row<Name>[]) {
  return rows.map((option) => ({ ...option, group, commands }));
}

const SCP = ['scp'] as const;
const CP = ['cp'] as const;
const GET = ['get'] as const;
const PUT = ['put'] as const;
const SERVE = ['serve'] as const;
const SEND = ['send'] as const;
const RECV = ['recv'] as const;
const PIPE = ['pipe'] as const;
const ONE_WAY = ['send', 'recv'] as const;
const TREES = ['scp', 'cp'] as const;
const PULLS = ['scp', 'cp', 'get'] as const;
const SELECTIONS = ['scp', 'cp', 'get', 'put'] as const;
const WALKS = ['scp', 'cp', 'put'] as const;
const COPIES = ['scp', 'cp', 'get', 'put', 'send', 'recv'] as const;
const WEB = ['get', 'put', 'cp'] as const;
const WEB_TARGETS = ['put', 'cp'] as const;
const TRANSFERS = COMMAND_NAMES.filter((name) => name !== 'completion');
const TCP = ['send', 'recv', 'pipe'] as const;

const AUTH = 'log in; without the password you are asked for it, and others on this machine cannot see it';
const COOKIES = "cookies to send, in Netscape's format, as browsers and curl -c write them";

const rows = [
  ...section('What is copied:', SCP, [
    flag('recursive', 'r', 'copy directories and all that is in them'),
    flag('no-clobber', '', 'leave alone what is there already'),
    flag('update', '', 'copy only what is newer than what is there'),
  ]),
  ...section('What is copied:', GET, [
    flag('recursive', 'r', 'download a folder with all that is in it, by its listings'),
  ]),
  ...section('What is copied:', PUT, [
    flag('recursive', 'r', 'what put does in any case: folders with all that is in them'),
    flag('overwrite', '', 'replace what is there already'),
  ]),
  ...section('What is copied:', SELECTIONS, [
    list('exclude', '', 'pattern', 'leave out what matches, as in *.tmp; may be repeated'),
    list('include', '', 'pattern', 'copy what matches though an --exclude says otherwise; may be repeated'),
  ]),
  ...section('What is copied:', TREES, [
    flag('preserve', 'p', 'keep the mode and the times of last change and last reading'),
  ]),
  ...section('What is copied:', WALKS, [
    text('links', '', 'follow|keep|skip', 'links in a tree: copy what they point at (default), the link, or nothing'),
    flag('dry-run', '', 'say what would be copied, and copy nothing'),
  ]),
  ...section('What is copied:', TREES, [
    flag('inplace', '', 'write into a file that is there, which keeps its hard links; it is not whole until the end'),
  ]),
  ...section('What is copied:', CP, [
    flag('recursive', 'r', 'what cp does in any case: directories with all that is in them'),
    flag('no-clobber', 'n', 'leave alone what is there already'),
    flag('update', 'u', 'copy only what is newer than what is there'),
  ]),
  ...section('What is copied:', GET, [
    flag('continue', 'c', 'leave what is there whole, and replace what is shorter; a cut download goes on in any case'),
    flag('overwrite', '', 'replace a file that is there already'),
    text('output', 'o', 'path', 'file or directory to write to, - for standard output'),
  ]),
  ...section('What is copied:', SEND, [
    list('exclude', '', 'pattern', 'sealed: leave out what matches, as in *.tmp; may be repeated'),
    list('include', '', 'pattern', 'sealed: send what matches though an --exclude says otherwise; may be repeated'),
    text('links', '', 'follow|keep|skip', 'sealed: send what links point at (default), the links, or nothing'),
    text('name', '', 'name', 'sealed: what standard input, -, is called at the other end; stdin where not given'),
    orEmpty(
      text('text', '', 'words', 'send these words, which others on this machine can see, or with - what is typed'),
    ),
  ]),
  ...section('What is copied:', RECV, [
    flag('ask', '', 'sealed: ask before anything is taken'),
    flag('overwrite', '', 'sealed: replace files that are there'),
    flag('allow-dotfiles', '', 'sealed: take names that begin with a dot, as .bashrc, right in the directory'),
    flag('any-names', '', 'sealed: take names that not every system has, as a:b or con'),
    flag('force', 'f', 'write to standard output even where it is a terminal'),
    text('size', '', 'bytes', 'fail unless exactly so many come; K, M and G are understood'),
    text('sha256', '', 'hex', 'fail unless this is the SHA-256 of what comes'),
    text('output-dir', '', 'directory', 'with -k: give each client a file in it, named by time and address'),
  ]),
  ...section('How:', COPIES, [
    text('limit', '', 'rate', 'use at most this many bytes a second; K, M and G are understood'),
  ]),
  ...section('How:', SCP, [number('limit-kbit', 'l', 'kbit/s', 'use at most this many kilobits a second')]),
  ...section('How:', SELECTIONS, [
    flag('verify', '', 'compare a SHA-256 of both ends after the copy'),
    number('retry', '', 'n', 'try again so often where no byte moves any more; 0 for never'),
  ]),
  ...section('How:', PULLS, [
    number('parallel', '', 'n', 'pieces of one large file that are under way at once; 1 for one'),
  ]),
  ...section('How:', SELECTIONS, [number('files-in-flight', '', 'n', 'files that are under way at once')]),
  ...section('SSH:', TREES, [
    text('port', 'P', 'port', 'port of the SSH server'),
    orEmpty(list('identity', 'i', 'file', 'private key to log in with; may be repeated')),
    list('jump', 'J', 'host', 'go by way of this host, or of several with commas between them'),
    text('config', 'F', 'file', 'ssh_config file to read in place of ~/.ssh/config'),
    orEmpty(list('option', 'o', 'key=value', 'setting as in ssh_config; may be repeated')),
    flag('compression', 'C', 'compress what goes over the line'),
    text(
      'program',
      'S',
      'program',
      'start this in place of our own SSH, as in -S ssh; it must take the options of ssh',
    ),
  ]),
  ...section('SSH:', SCP, [
    text('cipher', 'c', 'cipher', 'ciphers to use, as -o Ciphers='),
    flag('agent-forwarding', 'A', 'let the other host use your agent'),
    flag('batch', 'B', 'never ask for a password or a passphrase'),
    flag('ipv4', '4', 'use IPv4 addresses only'),
    flag('ipv6', '6', 'use IPv6 addresses only'),
    flag('legacy', 'O', 'use the old scp protocol'),
    flag('sftp', 's', 'use the SFTP protocol, and no other'),
    flag('through-here', '3', 'copy between two hosts through this one (default)'),
    flag('direct', 'R', 'copy between two hosts by running scp on the first; it must be able to log in to the second'),
    flag('no-strict-names', 'T', 'with -O: take files of other names than those asked for, too'),
    text('sftp-server', 'D', 'program', 'start this sftp server here and speak to it, without SSH'),
    list(
      'sftp-option',
      'X',
      'key=value',
      'nrequests=n: requests under way on one file; buffer=bytes: most bytes of one',
    ),
    flag('protocol-2', '2', 'has no effect: it is the only version of SSH'),
    refused(flag('protocol-1', '1', 'version 1 of SSH is no longer supported')),
  ]),
  ...section('What is shared:', SERVE, [
    flag('hidden', '', 'serve names that start with a dot too; over SFTP they always are'),
    text('name', '', 'name', 'what standard input, -, is called, as in backup.tar; stdin where not given'),
  ]),
  ...section('What others may put there:', SERVE, [
    flag('upload', '', 'let others put files there; with --sftp change and remove what is there, too'),
    flag('upload-only', '', 'let others put files there, and list and give away nothing'),
    flag('overwrite', '', 'let what is uploaded take the place of a file that is there'),
    flag('manage', '', 'let others rename and remove what is there'),
    text('max-size', '', 'size', 'take no file that is larger; K, M and G are understood'),
    text('quota', '', 'size', 'take nothing that would make the folder larger; K, M and G are understood'),
    text(
      'keep-parts',
      '',
      'time',
      'remove uploads that were broken off after a time, as in 90s, 1h or 7d; 24h where not given',
    ),
  ]),
  ...section('Where:', SERVE, [
    flag('sftp', '', 'serve over SFTP, to sftp, scp, rclone, sshfs, WinSCP and the like, in place of HTTP'),
    text('port', 'p', 'port', 'port to serve on; 8000 where not given, 2222 with --sftp, 0 for a free one'),
    list('bind', 'b', 'address', 'address, or path of a unix socket, to serve on; may be repeated'),
    orEmpty(text('base-path', '', 'path', 'path before the share in each URL, as a reverse proxy passes it on')),
    flag('mdns', '', 'announce it in the local network, under a name that ends in .local'),
    flag('qr', '', 'show the address as a QR code, for a phone'),
    flag('open', '', 'open the page in the browser of this machine'),
  ]),
  ...section('Who may:', SERVE, [
    list(
      'auth',
      '',
      'user:password',
      'who may log in; may be repeated; others on this machine can see it in the command',
    ),
    text('auth-file', '', 'file', 'accounts that may log in, one user:password or user:HASH a line'),
    text('hash-password', '', 'user', 'ask for a password, print the line of --auth-file for it, and serve nothing'),
    flag('auth-write', '', 'reading needs no login, changing something does'),
    text('authorized-keys', '', 'file', 'public keys that may log in, under any name, as sshd keeps them'),
    flag('token', '', 'put a random part into each URL, without which nothing is there; $XFER_TOKEN sets it'),
    list('allow', '', 'address', 'address or network that may connect, as in 192.168.1.0/24; may be repeated'),
    list(
      'allow-host',
      '',
      'name',
      'name that browsers may use for this machine; *.name and * are known; may be repeated',
    ),
  ]),
  ...section('How long:', SERVE, [
    flag('once', '', 'end after one complete download or upload; what a page shows of a file counts too'),
    number('max-downloads', '', 'n', 'end after so many complete downloads'),
    text('expires', '', 'time', 'end after a time, as in 90s, 30m, 1h or 7d'),
  ]),
  ...section('Encryption:', SERVE, [
    flag('tls', '', 'encrypt, as https, with a certificate that is made here and kept for next time'),
    text('cert', '', 'file', 'encrypt with this certificate, in PEM, those of its issuers after it; with --key'),
    text('key', '', 'file', 'private key of the certificate, in PEM'),
  ]),
  ...section('Web sites and programs:', SERVE, [
    flag('site', '', 'serve a web site, as npx serve does: clean addresses, and the rules of a serve.json'),
    flag('single', '', 'with one page: what is not there is answered with index.html; --site too'),
    flag('cgi', '', 'run the programs in /cgi-bin for those who ask; for this machine alone without --bind'),
    list('cgi-dir', '', 'path', 'run the programs in this directory, as in /scripts; may be repeated'),
    number('cgi-timeout', '', 'seconds', 'end a program that is silent for so long; 60 where not given'),
  ]),
  ...section('How:', SERVE, [
    text('limit', '', 'rate', 'send at most this many bytes a second, to all together; K, M and G are understood'),
    text('limit-client', '', 'rate', 'send at most this many bytes a second to each client address'),
    text(
      'log',
      '',
      'common|combined|json|off',
      'how each request is logged, on standard output; common where not given',
    ),
    flag('metrics', '', 'answer /healthz, and /metrics for Prometheus, in place of files of these names'),
  ]),
  ...section('Proof:', GET, [
    text('sha256', '', 'hex', 'fail unless this is the SHA-256 of the file'),
    text('checksum-url', '', 'url', 'fail unless the file is as this list says, one of sha256sum or sha512sum'),
    flag('checksums', '', 'fail unless each file is as SHA256SUMS, or file.sha256, beside it says'),
  ]),
  ...section('HTTP:', PUT, [text('auth', 'u', 'user[:password]', AUTH), text('cookies', 'b', 'file', COOKIES)]),
  ...section('HTTP:', WEB_TARGETS, [
    text(
      'chunk',
      '',
      'size',
      'put a large file in requests of this size, for proxies that take no more; K, M and G are understood',
    ),
  ]),
  ...section('HTTP:', GET, [text('auth', 'u', 'user[:password]', AUTH), text('cookies', 'b', 'file', COOKIES)]),
  ...section('HTTP:', CP, [text('auth', '', 'user[:password]', AUTH), text('cookies', '', 'file', COOKIES)]),
  ...section('HTTP:', WEB, [
    text('netrc', '', 'file', 'logins by host, in place of ~/.netrc'),
    list('header', 'H', 'name: value', 'header to send; may be repeated'),
    list('pin', '', 'sha256', 'trust the server that has this key or certificate, and no other; may be repeated'),
    list('cacert', '', 'file', 'trust the authorities in this file too, in PEM; may be repeated'),
  ]),
  ...section('TCP:', PIPE, [
    flag('force', 'f', 'write what comes to a terminal as it is, with all that a terminal acts on'),
    flag('half-close', 'N', 'end our direction when the input ends; it is always so'),
  ]),
  ...section('Sealed:', TCP, [
    flag('sealed', '', 'encrypt and prove, with a key that both ends have: it is made here, or asked for'),
    text('key', '', 'key', 'the key; others on this machine may see it for a moment, but not $XFER_KEY or --key-file'),
    text('key-file', '', 'file', 'file with the key; the end that waits makes it where it is missing'),
  ]),
  ...section('Sealed:', ONE_WAY, [
    flag('announce', '', 'wait for the other end, and let its --find find this one, in the same network'),
    flag('find', '', 'find the end that waits with --announce, in place of naming its address'),
  ]),
  ...section('Sealed:', SEND, [
    number(
      'parallel',
      '',
      'n',
      'connections for a large file; 1 on a short line, up to 8 on a long one, where not given',
    ),
  ]),
  ...section('TCP:', ONE_WAY, [
    flag('keep-open', 'k', 'with -l: go on for more clients, until stopped'),
    sameAs('keep-open', flag('keep', '', 'another name of -k')),
  ]),
  ...section('TCP:', RECV, [
    number('finish-idle', '', 'seconds', 'after so long without a byte, tell a sender such as nc without -N to end'),
  ]),
  ...section('TCP:', TCP, [
    flag('listen', 'l', 'wait for the other end to connect'),
    list('allow', '', 'address', 'with -l: address or network that may connect, as in 192.168.1.0/24; may be repeated'),
    number('retry', '', 'n', 'try so often, about once a second, to connect to an end that is not up yet'),
    flag('ipv4', '4', 'use IPv4 addresses only'),
    flag('ipv6', '6', 'use IPv6 addresses only'),
    flag('unix', 'U', 'the address is the path of a unix socket; one with a slash always is'),
    text('source', 's', 'address', 'address of this machine to connect from'),
    text('source-port', 'p', 'port', 'port of this machine to connect from'),
    number('connect-timeout', '', 'seconds', 'give up where no connection is made in this time'),
    number('idle-timeout', '', 'seconds', 'give up where the other end sends and takes nothing for this time'),
  ]),
  ...section('Messages:', TRANSFERS, [
    flag('quiet', 'q', 'say nothing but errors'),
    count('verbose', 'v', 'say more; may be repeated'),
    flag('json', '', 'one event a line, as JSON'),
  ]),
  ...section('Messages:', COMMAND_NAMES, [
    flag('help', 'h', 'show this'),
    flag('version', 'V', 'show the version of xfer'),
  ]),
];

export const OPTIONS: readonly Option[] = rows;
export type OptionName = (typeof rows)[number]['name'];

/** The options of one command, in the table's order. */
export function optionsOf(command: CommandName): readonly Option[] {
  return OPTIONS.filter((option) => option.commands.includes(command));
}

/** An option as it is typed at its shortest: `-p`, or `--exclude` where it has no letter. */
export function spelling(option: Option): string {
  return option.alias === undefined ? `--${option.name}` : `-${option.alias}`;
}
