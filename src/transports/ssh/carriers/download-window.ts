/**
 * ssh2 gives each channel a window of 2 MiB and no option for it: that is all that may be on its way to us in a round trip.
 * The rest is told to the server by a message that ssh2 keeps to itself; where a later version hides it, nothing is widened.
 */
import type { Client, ClientChannel } from 'ssh2';
import { CHANNEL_WINDOW_BYTES } from '../sftp/limits.js';

/** sshd buffers at most 16 MiB for a channel (OpenSSH's channels.c, CHAN_INPUT_MAX). */
const WIDE_BYTES = 14 << 20;
const STEP_BYTES = 1 << 20;

interface Inside {
  readonly _remoteVer?: unknown;
  readonly _protocol?: { channelWindowAdjust?: (channel: number, bytes: number) => void };
}

interface ChannelInside {
  readonly incoming?: { window: number };
  readonly outgoing?: { readonly id: number };
}

/**
 * Widens the window for what comes in to 16 MiB, and keeps it there. Only for OpenSSH: other servers may stall. Says how many
 * bytes it has now.
 */
export function widenWindow(client: Client, channel: ClientChannel): number {
  const { _remoteVer: software, _protocol: protocol } = client as unknown as Inside;
  const { incoming, outgoing } = channel as unknown as ChannelInside;
  const adjust = protocol?.channelWindowAdjust;
  if (typeof software !== 'string' || !software.startsWith('OpenSSH_') || typeof adjust !== 'function')
    return CHANNEL_WINDOW_BYTES;
  if (typeof incoming?.window !== 'number' || typeof outgoing?.id !== 'number') return CHANNEL_WINDOW_BYTES;
  const give = (bytes: number) => {
    incoming.window += bytes;
    adjust.call(protocol, outgoing.id, bytes);
  };
  let taken = 0;
  channel.on('data', (chunk: Buffer) => {
    taken += chunk.length;
    if (taken < STEP_BYTES) return;
    give(taken);
    taken = 0;
  });
  give(WIDE_BYTES);
  return CHANNEL_WINDOW_BYTES + WIDE_BYTES;
}
