/** The old scp protocol against the real scp in its server's role, on this machine. */
import { openLegacySink, openLegacySource } from '#xfer/transports/ssh/legacy/open.js';
import { needs } from '../support/peers.js';
import { farLocation, localCarrier } from '../transports/ssh/legacy/local-scp.js';
import { conformance } from './conformance.js';
import { openDisk, openSinkOn } from './disk.js';
import type { SinkRig, SourceRig } from './rig.js';

const source: SourceRig = {
  supports: { tree: true, names: 'bytes', lineFeeds: false, size: true },
  capabilities: { ranges: false, replay: false, parallel: false, metadata: true },
  async open(files) {
    const disk = await openDisk(files);
    const opened = openLegacySource(localCarrier(), farLocation(disk.root), {});
    return {
      source: opened,
      async close() {
        await opened.close();
        await disk.remove();
      },
    };
  },
};

const sink: SinkRig = {
  supports: { tree: true, unknownSize: false, names: 'bytes', lineFeeds: false },
  capabilities: { offsets: false, atomic: false, resume: false, parallel: false, metadata: true, blind: true },
  async open(existing = []) {
    const disk = await openDisk(existing);
    return openSinkOn(disk, async () => openLegacySink(localCarrier(), farLocation(disk.root), { preserve: true }));
  },
};

conformance('old scp', { source, sink }, needs('scp'));
