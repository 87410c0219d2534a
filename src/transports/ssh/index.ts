/** Files on any machine with an SSH server that has sftp. */
import { XferError } from '../../errors.js';
import { describeLocation, type Location } from '../../location.js';
import { printable } from '../../names.js';
import type { Scope, Sink, Source, Transport } from '../../transport.js';
import type { Carrier } from './carriers/carrier.js';
import { type CarrierUse, openCarrier } from './carriers/open-carrier.js';
import { checkSshOptions } from './check-options.js';
import { expandGlob, isPattern } from './glob.js';
import type { SshListenOptions } from './listen/index.js';
import { LARGE_BYTES, Sessions } from './sessions.js';
import { shareSessions } from './shared-sessions.js';
import { SftpSink } from './sink.js';
import { SftpSource } from './source.js';
import type { SshOptions } from './ssh-options.js';

export type { SshOptions } from './ssh-options.js';

export const transport: Transport = {
  scheme: 'sftp',
  aliases: ['scp', 'ssh'],
  summary: 'files on a machine with an SSH server: [user@]host:path or sftp://[user@]host[:port]/path',
  defaultPort: 22,

  async expand(location, options: SshOptions, scope) {
    checkSshOptions(options);
    // The old protocol leaves patterns to the far shell; what cannot be opened is told where it is opened to be read.
    if (options.protocol === 'scp' || !isPattern(location.path)) return [location];
    try {
      return await openOn(location, options, scope, 'look', async ({ sessions, path }) => {
        const paths = await expandGlob(await sessions.pick(scope), path, scope);
        await sessions.close();
        return paths.map((each) => ({ ...location, path: each }));
      });
    } catch (error) {
      if (error instanceof XferError && error.code === 'UNSUPPORTED') return [location];
      throw error;
    }
  },

  async openSource(location, options: SshOptions, scope) {
    const { links } = options;
    const sftp = (opened: Opened) => SftpSource.open({ ...opened, ...(links ? { links } : {}) }, scope);
    return openOn<Source>(location, options, scope, 'source', sftp, async (carrier) => {
      const { openLegacySource } = await import('./legacy/open.js');
      return openLegacySource(carrier, location, options);
    });
  },

  async openSink(location, options: SshOptions, scope) {
    const { onNotice, inPlace } = options;
    const told = { ...(onNotice ? { onNotice } : {}), ...(inPlace ? { inPlace } : {}) };
    const sftp = (opened: Opened) => SftpSink.open({ ...opened, ...told }, scope);
    return openOn<Sink>(location, options, scope, 'sink', sftp, async (carrier) => {
      const { openLegacySink } = await import('./legacy/open.js');
      return openLegacySink(carrier, location, options);
    });
  },

  async listen(options: SshListenOptions, scope) {
    const { listen } = await import('./listen/index.js');
    return listen(options, scope);
  },
};

interface Opened {
  readonly sessions: Sessions;
  readonly path: string;
  readonly label: string;
}

/** Connects, and leaves nothing open where `open` fails. `legacy`: what is done with the old protocol; absent: not at all. */
async function openOn<T>(
  location: Location,
  options: SshOptions,
  scope: Scope,
  use: CarrierUse,
  open: (opened: Opened) => Promise<T>,
  legacy?: (carrier: Carrier) => Promise<T>,
): Promise<T> {
  checkSshOptions(options);
  const { onNotice, parallel, protocol, requests, requestBytes, largestFile } = options;
  const tuning = { ...(requests ? { requests } : {}), ...(requestBytes ? { requestBytes } : {}) };
  const label = printable(location.host ?? location.path);
  const host = hostKey(location);
  const dial = (dialing: Scope, more?: 'more') => openCarrier(location, options, dialing, more ?? use);
  let carrier: Carrier | undefined;
  const connect = async () => {
    carrier = await dial(scope);
    const large = use === 'sink' && ((await largestFile?.()) ?? 0) > LARGE_BYTES;
    const told = { reads: use === 'source', large, ...(onNotice ? { onNotice } : {}) };
    return Sessions.on(carrier, { dial, label, parallel, tuning, ...told }, scope);
  };
  const lasting = async (first: Carrier) => {
    const { lastingCarrier } = await import('./legacy/lasting-carrier.js');
    return lastingCarrier(first, { label, dial, onNotice });
  };
  let sessions: Sessions | undefined;
  try {
    if (legacy && (protocol === 'scp' || (protocol === undefined && withoutSftp.has(options, host)))) {
      carrier = await dial(scope);
      return await legacy(await lasting(carrier));
    }
    const opening = use === 'look' ? connect() : shareSessions(options, `${use} ${host}`, connect);
    sessions = await opening.catch((error: unknown) => {
      const canFallBack = legacy !== undefined && protocol === undefined && carrier?.execute !== undefined;
      if (canFallBack && error instanceof XferError && error.code === 'UNSUPPORTED') return undefined;
      throw error;
    });
    if (sessions) return await open({ sessions, path: location.path, label: describeLocation(location) });
    if (withoutSftp.add(options, host)) onNotice?.(`${label}: no sftp there; using the old scp protocol`);
    return await (legacy as NonNullable<typeof legacy>)(await lasting(carrier as Carrier));
  } catch (error) {
    await (sessions ?? carrier)?.close();
    throw error;
  }
}

/** Hosts, in each run by its options object, that were found to have no sftp: that is found out, and said, once. */
const withoutSftp = {
  hosts: new WeakMap<object, Set<string>>(),

  has(run: object, host: string): boolean {
    return this.hosts.get(run)?.has(host) === true;
  },

  /** Whether it was not known yet. */
  add(run: object, host: string): boolean {
    const known = this.hosts.get(run) ?? new Set();
    this.hosts.set(run, known);
    return known.size < known.add(host).size;
  },
};

function hostKey({ user, host, port }: Location): string {
  return JSON.stringify([user, host, port]);
}
