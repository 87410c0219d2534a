/** Our HTTP client against our own listener. */
import type { Source } from '#xfer/transport.js';
import { transport } from '#xfer/transports/http/index.js';
import { openLocalSource } from '#xfer/transports/local/index.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import type { Fixture } from '../support/fixtures.js';
import { conformance } from './conformance.js';
import { openDisk } from './disk.js';
import { type Fault, freeScope, type OpenedSource, type SourceRig } from './rig.js';

const FILE = 'one file.bin';
/** Long ago: the listener gives a file that changed just now no strong tag, without which there are no ranges. */
const PLANTED_MS = Date.UTC(2020, 0, 1);
const CHANGED_MS = Date.UTC(2021, 0, 1);

async function openOver(port: number): Promise<Source> {
  const url = `http://127.0.0.1:${port}/${encodeURIComponent(FILE)}`;
  const location = { scheme: 'http', host: '127.0.0.1', port, path: new URL(url).pathname, url };
  if (!transport.openSource) throw new Error('the transport has no source');
  return transport.openSource(location, {}, freeScope());
}

const source: SourceRig = {
  supports: { tree: false, names: 'none', size: true },
  capabilities: { ranges: true, replay: true, parallel: true, metadata: true },
  open: (files) => openServed(files),
  openFaulty: (files, fault) => openServed(files, fault),
};

/** A file behind our listener, over a line that fails where `fault` says so. */
async function openServed(files: readonly Fixture[], fault?: Fault): Promise<OpenedSource> {
  const disk = await openDisk(files.map((file) => ({ ...file, path: FILE, mtimeMs: PLANTED_MS })));
  const share = await openLocalSource(disk.root);
  if (!transport.listen) throw new Error('the transport has no listener');
  const listener = await transport.listen({ hosts: ['127.0.0.1'], port: 0, share }, freeScope());
  const proxy = fault && (await startFaultyProxy({ to: listener.address, ...fault }));
  const opened = await openOver((proxy ?? listener.address).port);
  return {
    source: opened,
    change: (_path, bytes) => disk.put({ path: FILE, bytes, mtimeMs: CHANGED_MS }),
    async close() {
      await opened.close();
      await proxy?.stop();
      await listener.close();
      await share.close();
      await disk.remove();
    },
  };
}

conformance('http', { source });
