/** The hops of ProxyJump (ssh_config.5) and scp's -J: `[user@]host[:port]` or `ssh://[user@]host[:port]`, comma-separated. */
import { XferError } from '../../../errors.js';
import { checkUserAndHost, parsePort } from '../../../location.js';

export interface JumpHop {
  readonly user?: string;
  readonly host: string;
  readonly port?: number;
}

export const MOST_HOPS = 16;

/** Hops in the order in which they are passed. USAGE where one is not right, or where there are more than 16. */
export function jumpHops(text: string): readonly JumpHop[] {
  const hops = text.split(',').map(parseHop);
  if (hops.length > MOST_HOPS) throw new XferError('USAGE', `ProxyJump ${text}: more than ${MOST_HOPS} hops`);
  return hops;
}

function parseHop(text: string): JumpHop {
  const match = /^(?:ssh:\/\/)?(?:(.*)@)?(?:\[([^\]/]+)\]|([^:/@[\]]+))(?::([^:/]*))?\/?$/is.exec(text);
  if (!match) throw new XferError('USAGE', `ProxyJump ${text}: not [user@]host[:port]`);
  const [, user, bracketed, plain, port] = match;
  const host = bracketed ?? (plain as string);
  checkUserAndHost(user, host);
  return { host, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port: parsePort(port) }) };
}

/** The hops as they are written on a line: up to a space or a comment. */
export function jumpText(rest: string): string {
  return rest.replace(/[ \t\r#].*$/s, '');
}
