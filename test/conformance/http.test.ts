/** Our HTTP client against our own listener. */
import type { Source } from '#xfer/transport.js';
import { transport } from '#xfer/transports/http/index.js';
import { openLocalSource } from '#xfer/transports/local/index.js';
import { conformance } from './conformance.js';
import { openDisk } from './disk.js';
import { freeScope, type SourceRig } from './rig.js';

const FILE = 'one file.bin';

async function openOver(port: number): Promise<Source> {
  const url = `http://127.0.0.1:${port}/${encodeURIComponent(FILE)}`;
  const location = { scheme: 'http', host: '127.0.0.1', port, path: new URL(url).pathname, url };
  if (!transport.openSource) throw new Error('the transport has no source');
  return transport.openSource(location, {}, freeScope());
}

const source: SourceRig = {
  supports: { tree: false, names: 'none', size: true },
  async open(files) {
    const disk = await openDisk(files.map((file) => ({ ...file, path: FILE })));
    const share = await openLocalSource(disk.root);
    if (!transport.listen) throw new Error('the transport has no listener');
    const listener = await transport.listen({ hosts: ['127.0.0.1'], port: 0, share }, freeScope());
    const opened = await openOver(listener.address.port);
    return {
      source: opened,
      change: (_path, bytes) => disk.put({ path: FILE, bytes }),
      async close() {
        await opened.close();
        await listener.close();
        await share.close();
        await disk.remove();
      },
    };
  },
};

conformance('http', { source });
