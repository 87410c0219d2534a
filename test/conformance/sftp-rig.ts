/** Our sftp client against any server that can serve a disk of the suite. */
import type { Location } from '#xfer/location.js';
import { type SshOptions, transport } from '#xfer/transports/ssh/index.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import type { Fixture } from '../support/fixtures.js';
import { type Disk, openDisk, openSinkOn } from './disk.js';
import { type Fault, freeScope, type OpenedSource, type SinkRig, type SourceRig } from './rig.js';

/** A server that has a disk. */
export interface Peer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly configFile: string;
  /** What a client calls the root of the disk. */
  readonly path: string;
  stop(): Promise<void>;
}

export type ServeDisk = (disk: Disk) => Promise<Peer>;

export function sftpRig(serve: ServeDisk): { readonly source: SourceRig; readonly sink: SinkRig } {
  const source: SourceRig = {
    supports: { tree: true, names: 'bytes', size: true, links: true, detectsCorruption: true },
    capabilities: { ranges: true, replay: true, parallel: true, metadata: true },
    open: (files) => openServed(serve, files),
    openFaulty: (files, fault) => openServed(serve, files, fault),
  };
  const sink: SinkRig = {
    supports: { tree: true, names: 'bytes', links: true },
    capabilities: { offsets: true, atomic: true, resume: true, parallel: true, metadata: true },
    open: (existing) => openReceiving(serve, existing),
  };
  return { source, sink };
}

function reach({ host, port, user, configFile, path }: Peer): [Location, SshOptions] {
  return [{ scheme: 'sftp', host, port, user, path }, { configFile }];
}

/** By way of a proxy; the host key is still looked up for the server's own port. */
function reachBy(port: number, peer: Peer): [Location, SshOptions] {
  const [location, options] = reach(peer);
  return [
    { ...location, port },
    { ...options, options: [`HostKeyAlias=[${location.host}]:${location.port}`] },
  ];
}

/** Files behind a server, over a line that fails where `fault` says so. */
async function openServed(serve: ServeDisk, files: readonly Fixture[], fault?: Fault): Promise<OpenedSource> {
  const disk = await openDisk(files);
  const peer = await serve(disk);
  const proxy = fault && (await startFaultyProxy({ to: { host: peer.host, port: peer.port }, ...fault }));
  const place = proxy ? reachBy(proxy.port, peer) : reach(peer);
  const opened = await required(transport.openSource)(...place, freeScope());
  return {
    source: opened,
    change: (path, bytes) => disk.put({ path, bytes }),
    async close() {
      await opened.close();
      await proxy?.stop();
      await peer.stop();
      await disk.remove();
    },
  };
}

async function openReceiving(serve: ServeDisk, existing: readonly Fixture[] = []) {
  const disk = await openDisk(existing);
  const peer = await serve(disk);
  return openSinkOn(disk, () => required(transport.openSink)(...reach(peer), freeScope()), peer.stop);
}

function required<T>(method: T | undefined): T {
  if (method === undefined) throw new Error('the transport lacks a method that the suite needs');
  return method;
}
