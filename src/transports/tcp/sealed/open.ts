/** A sealed receiver as a sink: called, or waited for. */
import { abortable } from '../../../concurrency/on-abort.js';
import { describeLocation, type Location } from '../../../location.js';
import { COUNT, checkKinds, type Kinds } from '../../../option-rules.js';
import type { Scope } from '../../../transport.js';
import type { TcpAddress } from '../options.js';
import { addressOf } from '../raw.js';
import { KEY_BYTES } from './key.js';
import { answerReceivers } from './listen/sender.js';
import type { Offer } from './messages.js';
import type { SealedOptions } from './options.js';
import { callingOpener } from './send/caller.js';
import type { LaneOpener } from './send/connections.js';
import { openSealedSink, type SealedSink } from './send/sink.js';

export interface SealedSendOptions extends SealedOptions {
  /** What will be sent, asked for once. */
  readonly offer: () => Promise<Offer>;
  /** Other addresses of the same receiver, tried beside the location's. */
  readonly others?: readonly TcpAddress[];
  /** Connections for a large file; by the length of the line where absent. */
  readonly connections?: number;
}

const KINDS: Kinds<SealedSendOptions> = {
  key: { allows: (value) => value instanceof Uint8Array && value.length === KEY_BYTES, may: `${KEY_BYTES} bytes` },
  connections: COUNT,
};

/**
 * Calls the receiver at a location, or with `listen` waits for one to call, until it has taken the offer. Rejects as `call`
 * and `startListening` do, and with DENIED where the offer was refused. Closing the sink frees the port.
 */
export async function openSealed(location: Location, options: SealedSendOptions, scope: Scope): Promise<SealedSink> {
  checkKinds('sealed', options, KINDS);
  const address = addressOf(location);
  const label = describeLocation(location);
  const offer = await options.offer();
  const { connections } = options;
  const tuning = connections === undefined ? {} : { connections };
  const open = (opener: LaneOpener) => openSealedSink(opener, offer, tuning, scope);
  if (!location.listen) return open(callingOpener([address, ...(options.others ?? [])], label, options));
  return waitForReceiver(address, label, options, open, scope);
}

async function waitForReceiver(
  address: TcpAddress,
  label: string,
  options: SealedSendOptions,
  open: (opener: LaneOpener) => Promise<SealedSink>,
  scope: Scope,
): Promise<SealedSink> {
  let came: (opener: LaneOpener) => void = () => {};
  let leave: () => void = () => {};
  const first = new Promise<LaneOpener>((resolve) => {
    came = resolve;
  });
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const server = await answerReceivers(address, label, options, 1, async (opener, peer) => {
    options.onConnection?.(peer);
    came(opener);
    await left;
  });
  const stop = () => {
    server.close();
    leave();
  };
  try {
    const opener = await abortable(first, scope);
    return await open({
      ...opener,
      close: () => {
        stop();
        opener.close();
      },
    });
  } catch (error) {
    stop();
    throw error;
  }
}
