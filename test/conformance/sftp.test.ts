/** Our client against OpenSSH's server. */
import { after } from 'node:test';
import type { Location } from '#xfer/location.js';
import type { Sink } from '#xfer/transport.js';
import { type SshOptions, transport } from '#xfer/transports/ssh/index.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import type { Fixture } from '../support/fixtures.js';
import { findProgram, needs } from '../support/peers.js';
import { type Sshd, startSshd } from '../support/sshd.js';
import { conformance } from './conformance.js';
import { openDisk } from './disk.js';
import { type Fault, freeScope, type OpenedSource, type SinkRig, type SourceRig } from './rig.js';

const sshd = findProgram('sshd') ? await startSshd() : undefined;
after(() => sshd?.stop());

function reach(path: string): [Location, SshOptions] {
  const { host, port, user, configFile } = sshd as Sshd;
  return [{ scheme: 'sftp', host, port, user, path }, { configFile }];
}

/** By way of a proxy; the host key is still looked up for the server's own port. */
function reachBy(port: number, path: string): [Location, SshOptions] {
  const [location, options] = reach(path);
  return [
    { ...location, port },
    { ...options, options: [`HostKeyAlias=[${location.host}]:${location.port}`] },
  ];
}

const source: SourceRig = {
  supports: { tree: true, names: 'bytes', size: true, links: true, detectsCorruption: true },
  capabilities: { ranges: true, replay: true, parallel: true, metadata: true },
  open: (files) => openServed(files),
  openFaulty: (files, fault) => openServed(files, fault),
};

/** Files behind sshd, over a line that fails where `fault` says so. */
async function openServed(files: readonly Fixture[], fault?: Fault): Promise<OpenedSource> {
  const disk = await openDisk(files);
  const proxy = fault && (await startFaultyProxy({ to: sshd as Sshd, ...fault }));
  const place = proxy ? reachBy(proxy.port, disk.root) : reach(disk.root);
  const opened = await required(transport.openSource)(...place, freeScope());
  return {
    source: opened,
    change: (path, bytes) => disk.put({ path, bytes }),
    async close() {
      await opened.close();
      await proxy?.stop();
      await disk.remove();
    },
  };
}

const sink: SinkRig = {
  supports: { tree: true, names: 'bytes', links: true },
  capabilities: { offsets: true, atomic: true, resume: true, parallel: true, metadata: true },
  async open(existing = []) {
    const disk = await openDisk(existing);
    const sinks: Sink[] = [];
    const reopen = async () => {
      const opened = await required(transport.openSink)(...reach(disk.root), freeScope());
      sinks.push(opened);
      return opened;
    };
    return {
      sink: await reopen(),
      reopen,
      list: disk.list,
      outside: disk.outside,
      read: disk.read,
      async close() {
        for (const opened of sinks) await opened.close();
        await disk.remove();
      },
    };
  },
};

function required<T>(method: T | undefined): T {
  if (method === undefined) throw new Error('the transport lacks a method that the suite needs');
  return method;
}

conformance('sftp', { source, sink }, needs('sshd', 'ssh-keygen'));
