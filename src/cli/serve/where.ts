/** Where `xfer serve` listens. */
import { XferError } from '../../errors.js';
import { socketPath } from '../../files/socket-file.js';
import { printable } from '../../names.js';
import type { ListenOptions } from '../../transport.js';
import type { ServeOperands } from '../commands/serve.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import type { Surroundings } from '../surroundings.js';

type Where = Pick<ListenOptions, 'hosts' | 'port' | 'descriptors'>;

/** What no shell takes for anything but itself. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** USAGE where an address or a port is given that nothing would be bound to. */
export function whereItListens(
  { port, portTyped }: ServeOperands,
  parsed: ParsedArguments,
  around: Surroundings,
): Where {
  const hosts = addressesTyped(parsed);
  const descriptors = around.inheritedSockets ?? [];
  if (descriptors.length > 0) {
    if (hosts.length > 0 || portTyped) {
      throw new XferError(
        'USAGE',
        'serve: the socket was made by the service manager, and an address is given as well',
        {
          hint: 'leave --bind and the port out, or start it without LISTEN_FDS',
        },
      );
    }
    return { port, descriptors };
  }
  for (const host of hosts) checkAddress(host, around.platform);
  if (portTyped && hosts.length > 0 && hosts.every((host) => socketPath(host) !== undefined)) {
    throw new XferError('USAGE', `serve: port ${port} is given, and only sockets that have none`, {
      hint: 'add the address of the port, as in: --bind 127.0.0.1',
    });
  }
  return { port, ...(hosts.length > 0 ? { hosts } : {}) };
}

/** What --bind gives; an IPv6 address may stand in brackets, as it does in URLs. */
export function addressesTyped(parsed: ParsedArguments): string[] {
  return parsed.list('bind').map((address) => /^\[([\da-f:.]+(?:%[\w.-]+)?)\]$/i.exec(address)?.[1] ?? address);
}

function checkAddress(address: string, platform: NodeJS.Platform): void {
  const [, host, port] = /^(\[[^\]/]*\]|[^:/[\]]*):(\d{1,5})$/.exec(address) ?? [];
  if (port !== undefined) {
    throw new XferError('USAGE', `option --bind ${address}: the port is not part of the address`, {
      hint: `${host ? `--bind ${host} ` : ''}--port ${port}`,
    });
  }
  const path = socketPath(address);
  const isPipe = path?.startsWith('\\\\') ?? false;
  if (path === '') throw new XferError('USAGE', `option --bind ${address}: a path is missing`);
  if (path === undefined || isPipe === (platform === 'win32')) return;
  throw platform === 'win32'
    ? new XferError('UNSUPPORTED', `option --bind ${address}: Windows has named pipes`, {
        hint: '--bind \\\\.\\pipe\\xfer',
      })
    : new XferError('UNSUPPORTED', `option --bind ${address}: named pipes are a thing of Windows`, {
        hint: '--bind ./xfer.sock',
      });
}

/** What was typed, up to the port; options, which may hold a secret, are an ellipsis. */
export function typedBeforePort({ paths }: ServeOperands, parsed: ParsedArguments): string {
  const words = ['xfer serve'];
  if (parsed.flag('sftp')) words.push('--sftp');
  if (parsed.hasOthers('sftp', 'port')) words.push('…');
  const quoted = paths.map((path) => (PLAIN.test(path) ? path : `'${printable(path).replaceAll("'", "'\\''")}'`));
  return [...words, ...quoted].join(' ');
}
