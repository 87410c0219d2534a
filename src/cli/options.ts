/** The one table of options. The parser, `--help` and the completion scripts read it; a new option is a new row. */

export const COMMAND_NAMES = ['scp', 'serve', 'get', 'send', 'recv', 'pipe', 'cp', 'completion'] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

export type OptionGroup = 'What is copied:' | 'How:' | 'SSH:' | 'HTTP:' | 'TCP:' | 'Messages:';

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
  readonly group: OptionGroup;
  /** Why xfer does not do it; the option is known, and refused with UNSUPPORTED. */
  readonly refused?: string;
}

const ALL = COMMAND_NAMES;
const TREES = ['scp', 'cp'] as const;
const SSH = ['scp', 'cp'] as const;
const TCP = ['send', 'recv', 'pipe'] as const;

const rows = [
  // What is copied
  {
    name: 'recursive',
    alias: 'r',
    type: 'flag',
    description: 'copy directories and all that is in them',
    commands: ['scp'],
    group: 'What is copied:',
  },
  {
    name: 'preserve',
    alias: 'p',
    type: 'flag',
    description: 'keep the mode and the time of last change',
    commands: TREES,
    group: 'What is copied:',
  },
  {
    name: 'exclude',
    type: 'list',
    argument: 'pattern',
    description: 'leave out what matches, as in *.tmp; may be repeated',
    commands: TREES,
    group: 'What is copied:',
  },
  {
    name: 'links',
    type: 'text',
    argument: 'follow|keep|skip',
    choices: ['follow', 'keep', 'skip'],
    description: 'links in a directory: copy what they point at (default), copy the link, or leave them out',
    commands: TREES,
    group: 'What is copied:',
  },
  {
    name: 'no-clobber',
    alias: 'n',
    type: 'flag',
    description: 'leave alone what is there already',
    commands: ['cp'],
    group: 'What is copied:',
  },
  {
    name: 'update',
    alias: 'u',
    type: 'flag',
    description: 'copy only what is newer than what is there',
    commands: ['cp'],
    group: 'What is copied:',
  },
  {
    name: 'overwrite',
    type: 'flag',
    description: 'replace a file that is there already',
    commands: ['get'],
    group: 'What is copied:',
  },
  {
    name: 'output',
    alias: 'o',
    type: 'text',
    argument: 'path',
    description: 'file or directory to write to, - for standard output; here, under its own name, where not given',
    commands: ['get'],
    group: 'What is copied:',
  },
  {
    name: 'dry-run',
    type: 'flag',
    description: 'say what would be copied, and copy nothing',
    commands: TREES,
    group: 'What is copied:',
  },
  {
    name: 'hidden',
    type: 'flag',
    description: 'serve names that start with a dot too',
    commands: ['serve'],
    group: 'What is copied:',
  },
  {
    name: 'force',
    alias: 'f',
    type: 'flag',
    description: 'write to standard output even where it is a terminal',
    commands: ['recv'],
    group: 'What is copied:',
  },
  // How
  {
    name: 'limit',
    alias: 'l',
    type: 'number',
    argument: 'kbit/s',
    description: 'use at most this many kilobits a second',
    commands: ['scp'],
    group: 'How:',
  },
  {
    name: 'limit-rate',
    type: 'text',
    argument: 'rate',
    description: 'use at most this many bytes a second; K, M and G are understood',
    commands: ['cp', 'get', 'send', 'recv'],
    group: 'How:',
  },
  {
    name: 'verify',
    type: 'flag',
    description: 'compare a SHA-256 of both ends after the copy',
    commands: ['scp', 'cp', 'get'],
    group: 'How:',
  },
  {
    name: 'lanes',
    type: 'number',
    argument: 'n',
    description: 'pieces of one large file that are under way at once',
    commands: ['scp', 'cp', 'get'],
    group: 'How:',
  },
  {
    name: 'files-in-flight',
    type: 'number',
    argument: 'n',
    description: 'files that are under way at once',
    commands: TREES,
    group: 'How:',
  },
  // SSH
  {
    name: 'port',
    alias: 'P',
    type: 'text',
    argument: 'port',
    description: 'port of the SSH server',
    commands: SSH,
    group: 'SSH:',
  },
  {
    name: 'identity',
    alias: 'i',
    type: 'list',
    argument: 'file',
    description: 'private key to log in with; may be repeated',
    commands: SSH,
    group: 'SSH:',
  },
  {
    name: 'config',
    alias: 'F',
    type: 'text',
    argument: 'file',
    description: 'ssh_config file to read in place of ~/.ssh/config',
    commands: SSH,
    group: 'SSH:',
  },
  {
    name: 'option',
    alias: 'o',
    type: 'list',
    argument: 'key=value',
    description: 'setting as in ssh_config; may be repeated',
    commands: SSH,
    group: 'SSH:',
  },
  {
    name: 'compression',
    alias: 'C',
    type: 'flag',
    description: 'compress what goes over the line',
    commands: SSH,
    group: 'SSH:',
  },
  {
    name: 'cipher',
    alias: 'c',
    type: 'text',
    argument: 'cipher',
    description: 'cipher to use, as -o Ciphers=',
    commands: ['scp'],
    group: 'SSH:',
  },
  {
    name: 'batch',
    alias: 'B',
    type: 'flag',
    description: 'never ask for a password or a passphrase',
    commands: ['scp'],
    group: 'SSH:',
  },
  { name: 'ipv4', alias: '4', type: 'flag', description: 'use IPv4 addresses only', commands: ['scp'], group: 'SSH:' },
  { name: 'ipv6', alias: '6', type: 'flag', description: 'use IPv6 addresses only', commands: ['scp'], group: 'SSH:' },
  {
    name: 'sftp',
    alias: 's',
    type: 'flag',
    description: 'use the SFTP protocol; it is always used',
    commands: ['scp'],
    group: 'SSH:',
  },
  {
    name: 'through-here',
    alias: '3',
    type: 'flag',
    description: 'copy between two hosts through this one; it is always so',
    commands: ['scp'],
    group: 'SSH:',
  },
  {
    name: 'no-strict-names',
    alias: 'T',
    type: 'flag',
    description: 'has no effect with the SFTP protocol',
    commands: ['scp'],
    group: 'SSH:',
  },
  {
    name: 'jump',
    alias: 'J',
    type: 'text',
    argument: 'host',
    description: 'not in this version',
    commands: ['scp'],
    group: 'SSH:',
    refused: 'jump hosts are not in this version',
  },
  {
    name: 'direct',
    alias: 'R',
    type: 'flag',
    description: 'not in this version',
    commands: ['scp'],
    group: 'SSH:',
    refused: 'copying from one host straight to another is not in this version',
  },
  {
    name: 'legacy',
    alias: 'O',
    type: 'flag',
    description: 'not in this version',
    commands: ['scp'],
    group: 'SSH:',
    refused: 'the old scp protocol is not in this version',
  },
  {
    name: 'program',
    alias: 'S',
    type: 'text',
    argument: 'program',
    description: 'not in this version',
    commands: ['scp'],
    group: 'SSH:',
    refused: 'another ssh program is not in this version',
  },
  {
    name: 'direct-sftp',
    alias: 'D',
    type: 'text',
    argument: 'program',
    description: 'not in this version',
    commands: ['scp'],
    group: 'SSH:',
    refused: 'starting an sftp server here is not in this version',
  },
  {
    name: 'agent-forwarding',
    alias: 'A',
    type: 'flag',
    description: 'refused: a copy has no use for your agent on the other host',
    commands: ['scp'],
    group: 'SSH:',
    refused: 'an agent is never handed to the other host',
  },
  {
    name: 'sftp-option',
    alias: 'X',
    type: 'list',
    argument: 'key=value',
    description: 'not in this version',
    commands: ['scp'],
    group: 'SSH:',
    refused: 'sftp options are not in this version',
  },
  // HTTP
  {
    name: 'port',
    alias: 'p',
    type: 'text',
    argument: 'port',
    description: 'port to serve on; 8000 where not given, 0 for a free one',
    commands: ['serve'],
    group: 'HTTP:',
  },
  {
    name: 'bind',
    alias: 'b',
    type: 'list',
    argument: 'address',
    description: 'address to serve on; may be repeated',
    commands: ['serve'],
    group: 'HTTP:',
  },
  {
    name: 'header',
    alias: 'H',
    type: 'list',
    argument: 'name: value',
    description: 'header to send; may be repeated',
    commands: ['get', 'cp'],
    group: 'HTTP:',
  },
  // TCP
  {
    name: 'listen',
    alias: 'l',
    type: 'flag',
    description: 'wait for the other end to connect',
    commands: ['pipe'],
    group: 'TCP:',
  },
  {
    name: 'half-close',
    alias: 'N',
    type: 'flag',
    description: 'end our direction when the input ends; it is always so',
    commands: ['pipe'],
    group: 'TCP:',
  },
  {
    name: 'connect-timeout',
    type: 'number',
    argument: 'seconds',
    description: 'give up where no connection is made in this time',
    commands: TCP,
    group: 'TCP:',
  },
  {
    name: 'idle-timeout',
    type: 'number',
    argument: 'seconds',
    description: 'give up where nothing comes or goes for this time',
    commands: TCP,
    group: 'TCP:',
  },
  // Messages
  { name: 'quiet', alias: 'q', type: 'flag', description: 'say nothing but errors', commands: ALL, group: 'Messages:' },
  {
    name: 'verbose',
    alias: 'v',
    type: 'count',
    description: 'say more; may be repeated',
    commands: ALL,
    group: 'Messages:',
  },
  { name: 'json', type: 'flag', description: 'one event a line, as JSON', commands: ALL, group: 'Messages:' },
  { name: 'help', alias: 'h', type: 'flag', description: 'show this', commands: ALL, group: 'Messages:' },
] as const satisfies readonly Option[];

export const OPTIONS: readonly Option[] = rows;
export type OptionName = (typeof rows)[number]['name'];

/** The options of one command, in the table's order. */
export function optionsOf(command: CommandName): readonly Option[] {
  return OPTIONS.filter((option) => option.commands.includes(command));
}

/** An option as it is typed: `-p, --preserve` without its value. */
export function spelling(option: Option): string {
  return option.alias === undefined ? `--${option.name}` : `-${option.alias}`;
}
