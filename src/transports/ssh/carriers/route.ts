/** How a host is reached: straight, by way of jump hosts, or by a command. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { XferError } from '../../../errors.js';
import { resolveSshConfig, type SshConfig } from '../config/config.js';
import { type JumpHop, jumpHops, MOST_HOPS } from '../config/proxy-jump.js';
import type { ConnectionRequest } from './connection-login.js';
import type { Patience } from './patience.js';
import { connectSocket } from './tcp-connect.js';

export interface Route {
  /** Speaks with the host's SSH server. */
  readonly stream: Duplex;
  /** The same, where it is a socket of this machine. */
  readonly socket?: Socket;
  /** Ends what carries the stream, after the stream. */
  close(): Promise<void>;
}

/** A connection to a jump host. */
export interface Hop {
  forward(config: SshConfig, scope: { readonly signal: AbortSignal }): Promise<Duplex>;
  close(): Promise<void>;
}

/**
 * UNREACHABLE, TIMED_OUT, USAGE for jump hosts that lead in a circle, and all that a connection to a jump host may
 * reject with. The time of `patience` starts when the last jump host is logged in to: its login may wait for a person.
 */
export async function openRoute(
  request: ConnectionRequest,
  patience: Patience,
  openHop: (request: ConnectionRequest) => Promise<Hop>,
): Promise<Route> {
  const { config, onNotice } = request;
  if (config.proxyJump !== undefined) {
    const hop = await openHop(await hopRequest(request, config.proxyJump));
    try {
      patience.start();
      const stream = await hop.forward(config, { signal: patience.signal });
      return { stream, close: () => hop.close() };
    } catch (error) {
      await hop.close();
      throw error;
    }
  }
  patience.start();
  if (config.proxyCommand !== undefined) {
    const { startProxyCommand } = await import('./proxy-command.js');
    const { stream, stop } = startProxyCommand({ config, command: config.proxyCommand, onNotice });
    return { stream, close: stop };
  }
  const socket = await connectSocket(config, patience.signal);
  return { stream: socket, socket, close: async () => void socket.destroy() };
}

/** The last jump host is reached by those before it; the first as its own configuration says. */
async function hopRequest(request: ConnectionRequest, proxyJump: string): Promise<ConnectionRequest> {
  const { config, depth = 0, resolveHop = plainHop } = request;
  if (depth >= MOST_HOPS) {
    throw new XferError('USAGE', `connect to ${config.host}: ProxyJump leads through more than ${MOST_HOPS} hosts`, {
      hint: 'a jump host must not be its own: write ‘Match !host it’ above the ProxyJump of ssh_config',
    });
  }
  const hop = jumpHops(proxyJump).at(-1) as JumpHop;
  const before = proxyJump.split(',').slice(0, -1).join(',');
  const { proxyCommand, ...resolved } = await resolveHop(hop);
  const batchMode = resolved.batchMode || config.batchMode;
  const reached = before === '' ? { ...resolved, ...(proxyCommand === undefined ? {} : { proxyCommand }) } : resolved;
  const jump = before === '' ? {} : { proxyJump: before };
  return { ...request, depth: depth + 1, config: { ...reached, batchMode, ...jump } };
}

function plainHop(hop: JumpHop): Promise<SshConfig> {
  return resolveSshConfig(hop);
}
