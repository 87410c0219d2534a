/** The sink that a sealed sender writes to, for either end that may call, onto a directory of the receiver. */
import type { Sink } from '#xfer/transport.js';
import { openLocalSink } from '#xfer/transports/local/sink.js';
import { receiveByCalling } from '#xfer/transports/tcp/sealed/receive/caller.js';
import { openSealedSink } from '#xfer/transports/tcp/sealed/send/sink.js';
import { ANYTHING, HOST, KEY, openSending, startReceiving, startSending, takeAll } from '../support/sealed.js';
import { conformance } from './conformance.js';
import { openDisk, openSinkOn } from './disk.js';
import type { SinkRig } from './rig.js';

const POLICY = { overwrite: true, dotfiles: true, anyNames: true };

const common: Pick<SinkRig, 'supports' | 'capabilities'> = {
  supports: { tree: true, names: 'bytes', links: true, confined: true },
  capabilities: { offsets: true, atomic: true, resume: true, parallel: true, metadata: true, provesWhole: true },
};

const senderCalls: SinkRig = {
  ...common,
  async open(existing = []) {
    const disk = await openDisk(existing);
    const receiving = await startReceiving(await openLocalSink(disk.root), { policy: POLICY, keep: true });
    return openSinkOn(disk, () => openSending(receiving.port), receiving.stop);
  },
};

const receiverCalls: SinkRig = {
  ...common,
  async open(existing = []) {
    const disk = await openDisk(existing);
    const ends: (() => Promise<void>)[] = [];
    const stop = async () => {
      for (const end of ends) await end();
    };
    return openSinkOn(
      disk,
      async () => {
        const { sink, end } = await called(disk.root);
        ends.push(end);
        return sink;
      },
      stop,
    );
  },
};

/** A sender that waits, and a receiver that calls it. */
async function called(root: string): Promise<{ sink: Sink; end(): Promise<void> }> {
  const sending = await startSending();
  const abort = new AbortController();
  const received = receiveByCalling(
    [{ host: HOST, port: sending.port }],
    'the sender',
    await openLocalSink(root),
    { key: KEY, policy: POLICY, events: takeAll(), identity: 'test', again: (attempt) => attempt() },
    { signal: abort.signal },
  );
  received.catch(() => {});
  const sink = await openSealedSink(await sending.opener, ANYTHING, {}, { signal: abort.signal });
  return {
    sink,
    async end() {
      abort.abort(new Error('stopped by the test'));
      await received.catch(() => {});
      sending.stop();
    },
  };
}

conformance('sealed, the sender calls', { sink: senderCalls });
conformance('sealed, the receiver calls', { sink: receiverCalls });
