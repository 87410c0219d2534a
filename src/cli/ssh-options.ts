/** scp's options -> what the SSH transport is told. */
import { XferError } from '../errors.js';
import { parsePort } from '../location.js';
import type { SshOptions } from '../transports/ssh/index.js';
import type { ParsedArguments } from './parsed-arguments.js';
import { sftpTuning } from './sftp-tuning.js';

/** USAGE where a value is not of its kind. What an option with a letter of its own says comes before `-o`, as in ssh. */
export function sshOptions(parsed: ParsedArguments): SshOptions {
  const configFile = parsed.text('config');
  const port = parsed.text('port');
  const program = parsed.text('program');
  const sftpServer = parsed.text('sftp-server');
  const protocol = parsed.last('legacy', 'sftp');
  const parallel = parsed.wholeNumber('parallel');
  return {
    options: [...letterSettings(parsed), ...parsed.list('option'), ...logLevel(parsed)],
    identityFiles: parsed.list('identity'),
    verbose: parsed.flag('verbose'),
    // --update has to know the times.
    preserve: parsed.flag('preserve') || parsed.flag('update'),
    ...(parsed.flag('compression') ? { compression: true } : {}),
    ...(parsed.flag('no-strict-names') ? { strictNames: false } : {}),
    ...(parsed.flag('agent-forwarding') ? { forwardAgent: true } : {}),
    ...(configFile === undefined ? {} : { configFile }),
    ...(port === undefined ? {} : { port: parsePort(port) }),
    ...(program === undefined ? {} : { program }),
    ...(sftpServer === undefined ? {} : { sftpServer }),
    ...(protocol === undefined ? {} : { protocol: protocol === 'legacy' ? 'scp' : 'sftp' }),
    ...(parallel === undefined ? {} : { parallel }),
    ...sftpTuning(parsed.list('sftp-option')),
  };
}

/** Options that are short for a setting of ssh_config. */
function letterSettings(parsed: ParsedArguments): string[] {
  const cipher = parsed.text('cipher');
  const family = parsed.last('ipv4', 'ipv6');
  const [jump, secondJump] = parsed.list('jump');
  if (secondJump !== undefined) {
    throw new XferError('USAGE', 'option -J: it was given twice', { hint: `xfer scp -J ${jump},${secondJump}` });
  }
  return [
    ...(cipher === undefined ? [] : [`Ciphers=${cipher}`]),
    ...(parsed.flag('batch') ? ['BatchMode=yes'] : []),
    ...(family === undefined ? [] : [`AddressFamily=${family === 'ipv4' ? 'inet' : 'inet6'}`]),
    ...(jump === undefined ? [] : [`ProxyJump=${jump}`]),
  ];
}

/** How much another ssh program says, as its own `-q`, `-v`, `-vv` and `-vvv` would have it. */
function logLevel(parsed: ParsedArguments): string[] {
  const verbosity = Math.min(3, parsed.count('verbose'));
  if (verbosity > 0) return [`LogLevel=DEBUG${verbosity}`];
  return parsed.flag('quiet') ? ['LogLevel=QUIET'] : [];
}
