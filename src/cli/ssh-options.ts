/** scp's options -> what the SSH transport is told. */
import { parsePort } from '../location.js';
import type { SshOptions } from '../transports/ssh/index.js';
import type { ParsedArguments } from './parsed-arguments.js';

/** USAGE where the port is none. What `-o` says comes before what other options say, as in ssh. */
export function sshOptions(parsed: ParsedArguments): SshOptions {
  const configFile = parsed.text('config');
  const port = parsed.text('port');
  const cipher = parsed.text('cipher');
  const options = [
    ...parsed.list('option'),
    ...(cipher === undefined ? [] : [`Ciphers=${cipher}`]),
    ...(parsed.flag('batch') ? ['BatchMode=yes'] : []),
    ...(parsed.flag('ipv4') ? ['AddressFamily=inet'] : []),
    ...(parsed.flag('ipv6') ? ['AddressFamily=inet6'] : []),
  ];
  return {
    options,
    identityFiles: parsed.list('identity'),
    compression: parsed.flag('compression'),
    verbose: parsed.flag('verbose'),
    ...(configFile === undefined ? {} : { configFile }),
    ...(port === undefined ? {} : { port: parsePort(port) }),
  };
}
