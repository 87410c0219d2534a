import { withoutEscapes } from '../../../glob.js';
import { describeLocation, type Location } from '../../../location.js';
import type { Scope, Sink, Source } from '../../../transport.js';
import type { Carrier } from '../carriers/carrier.js';
import type { SshOptions } from '../ssh-options.js';
import { expectedNames, farBaseName, isFarPattern, scpCommand } from './far-path.js';
import { startPeer } from './peer.js';
import { nameFault } from './record.js';
import { SendingSession } from './session.js';
import { LegacySink } from './sink.js';
import { LegacySource } from './source.js';

/**
 * What a far `scp -f` sends. It starts when it is walked, and then rejects with UNSUPPORTED where there is no scp; here only
 * with USAGE or UNSUPPORTED for a path that cannot be said there. Closing it closes the carrier.
 */
export function openLegacySource(carrier: Carrier, location: Location, options: SshOptions): Source {
  const { path } = location;
  const { recursive = true, preserve = true, strictNames = true } = options;
  const label = describeLocation(location);
  const command = scpCommand('f', path, { recursive, preserve });
  const several = isFarPattern(path);
  const base = several ? '' : withoutEscapes(farBaseName(path.replace(/^~[^/]*\/*$/, '')));
  return new LegacySource({
    label,
    identity: `${carrier.account}/${path}`,
    name: nameFault(base) ? '' : base,
    several,
    expects: strictNames ? expectedNames(path) : undefined,
    recursive,
    preserve,
    start: (scope) => startPeer(carrier, command, label, scope),
    onClose: () => carrier.close(),
  });
}

/** What a far `scp -t` takes. It starts with the first thing that is sent; else as `openLegacySource`. */
export function openLegacySink(carrier: Carrier, location: Location, options: SshOptions): Sink {
  const { path } = location;
  const { recursive = true, preserve = false } = options;
  const label = describeLocation(location);
  const commandFor = (intoDirectory: boolean, target = path) =>
    scpCommand('t', target, { recursive, preserve, intoDirectory });
  const start = async (command: string, scope: Scope) =>
    SendingSession.start(await startPeer(carrier, command, label, scope), scope);
  // A path that cannot be said is known before anything is read.
  commandFor(false);
  return new LegacySink({
    label,
    identity: `${carrier.account}/${path}`,
    start: (intoDirectory, scope) => start(commandFor(intoDirectory), scope),
    // What the far shell would take for a pattern cannot be looked for.
    startIn: async (name, scope) =>
      isFarPattern(name) ? undefined : start(commandFor(true, `${path === '' ? '.' : path}/${name}`), scope),
    onClose: () => carrier.close(),
  });
}
