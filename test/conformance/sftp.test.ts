/** Our client against OpenSSH's server. */
import { after } from 'node:test';
import type { Location } from '#xfer/location.js';
import type { Sink } from '#xfer/transport.js';
import { type SshOptions, transport } from '#xfer/transports/ssh/index.js';
import { findProgram, needs } from '../support/peers.js';
import { type Sshd, startSshd } from '../support/sshd.js';
import { conformance } from './conformance.js';
import { openDisk } from './disk.js';
import { freeScope, type SinkRig, type SourceRig } from './rig.js';

const sshd = findProgram('sshd') ? await startSshd() : undefined;
after(() => sshd?.stop());

function reach(path: string): [Location, SshOptions] {
  const { host, port, user, configFile } = sshd as Sshd;
  return [{ scheme: 'sftp', host, port, user, path }, { configFile }];
}

const source: SourceRig = {
  supports: { tree: true, names: 'bytes', size: true, links: true },
  capabilities: { ranges: true, replay: true, parallel: true, metadata: true },
  async open(files) {
    const disk = await openDisk(files);
    const opened = await required(transport.openSource)(...reach(disk.root), freeScope());
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
