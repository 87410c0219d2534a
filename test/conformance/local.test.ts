import { openLocalSink, openLocalSource } from '#xfer/transports/local/index.js';
import { conformance } from './conformance.js';
import { openDisk, openSinkOn } from './disk.js';
import type { SinkRig, SourceRig } from './rig.js';

const names = process.platform === 'linux' ? 'bytes' : 'text';

const source: SourceRig = {
  supports: { tree: true, names, size: true, links: true },
  capabilities: { ranges: true, replay: true, parallel: true, metadata: true },
  async open(files) {
    const disk = await openDisk(files);
    const opened = await openLocalSource(disk.root);
    return {
      source: opened,
      change: (path, bytes) => disk.put({ path, bytes }),
      async close() {
        await opened.close();
        await disk.remove();
      },
    };
  },
};

const sink: SinkRig = {
  supports: { tree: true, names, links: true, confined: true },
  capabilities: { offsets: true, atomic: true, resume: true, parallel: true, metadata: true, exclusive: true },
  async open(existing = []) {
    const disk = await openDisk(existing);
    return openSinkOn(disk, () => openLocalSink(disk.root));
  },
};

conformance('local', { source, sink });
