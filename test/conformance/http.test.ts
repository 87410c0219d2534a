/** Our HTTP client against our own listener. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isDraftName } from '#xfer/draft-name.js';
import { lastPart } from '#xfer/names.js';
import type { Source } from '#xfer/transport.js';
import { type HttpOptions, transport } from '#xfer/transports/http/index.js';
import type { HttpListenOptions } from '#xfer/transports/http/listen/options.js';
import { openLocalSink, openLocalSource } from '#xfer/transports/local/index.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import type { Fixture } from '../support/fixtures.js';
import { conformance } from './conformance.js';
import { openDisk, openSinkOn } from './disk.js';
import { type Fault, freeScope, type OpenedSink, type OpenedSource, type SinkRig, type SourceRig } from './rig.js';

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

const sink: SinkRig = {
  supports: { tree: true, names: 'bytes' },
  capabilities: { offsets: false, atomic: true, resume: true, parallel: true, metadata: false },
  open: (existing) => openReceiving(existing),
};

/** Our listener, which takes uploads. */
async function openReceiving(existing: readonly Fixture[] = []): Promise<OpenedSink> {
  const disk = await openDisk(existing);
  const [share, receive] = [await openLocalSource(disk.root), await openLocalSink(disk.root)];
  const notes = await mkdtemp(join(tmpdir(), 'xfer-notes-'));
  const upload: HttpListenOptions = {
    hosts: ['127.0.0.1'],
    port: 0,
    share,
    receive,
    hidden: true,
    upload: { overwrite: true },
  };
  const listener = await required(transport.listen)(upload, freeScope());
  const { port } = listener.address;
  const location = { scheme: 'http', host: '127.0.0.1', port, path: '/', url: `http://127.0.0.1:${port}/` };
  const options: HttpOptions = { uploadNotesDirectory: notes };
  const open = () => required(transport.openSink)(location, options, freeScope());
  const opened = await openSinkOn(disk, open, async () => {
    await listener.close();
    await Promise.all([share.close(), receive.close()]);
    await rm(notes, { recursive: true, force: true });
  });
  return { ...opened, list: () => withoutParts(opened.list) };
}

/** A server removes what came of a request that broke off once it has seen that. */
async function withoutParts(list: () => Promise<string[]>): Promise<string[]> {
  for (let looks = 0; ; looks += 1) {
    const found = await list();
    if (looks >= 100 || !found.some((path) => isDraftName(lastPart(path)))) return found;
    await pause(20);
  }
}

conformance('http', { source, sink });

function required<T>(method: T | undefined): T {
  if (method === undefined) throw new Error('the transport lacks a method that the suite needs');
  return method;
}
