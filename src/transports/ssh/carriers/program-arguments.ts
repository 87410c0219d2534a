/** What ssh is given when it carries a session in place of our own SSH. */
import type { Location } from '../../../location.js';
import type { SshOptions } from '../ssh-options.js';

/** A copy asks for nothing but a session, whatever the configuration says; scp says so first (scp.c). */
const ALWAYS = [
  '-x',
  '-oPermitLocalCommand=no',
  '-oClearAllForwardings=yes',
  '-oRemoteCommand=none',
  '-oRequestTTY=no',
  '-oControlMaster=no',
];

/**
 * ssh's arguments as scp passes them: for `command`, or for the sftp subsystem where it is undefined. The agent is not
 * forwarded unless an earlier argument asks for it.
 */
export function sshArguments(location: Location, options: SshOptions, command: string | undefined): string[] {
  const { user, host = '', port = options.port } = location;
  return [
    ...ALWAYS,
    ...(options.compression ? ['-C'] : []),
    ...(options.forwardAgent ? ['-A'] : []),
    ...(options.configFile === undefined ? [] : ['-F', options.configFile]),
    ...(options.identityFiles ?? []).flatMap((file) => ['-i', file]),
    ...(options.options ?? []).flatMap((option) => ['-o', option]),
    '-oForwardAgent=no',
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(command === undefined ? ['-s'] : []),
    '--',
    host,
    command ?? 'sftp',
  ];
}
