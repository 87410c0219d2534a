import { XferError } from '../../errors.js';
import type { Location } from '../../location.js';
import type { Scope } from '../../transport.js';
import type { Carrier } from './carrier.js';
import { resolveSshConfig, type SshConfig } from './config.js';
import { SshConnection } from './connection.js';
import type { SshOptions } from './ssh-options.js';

/**
 * What carries sessions to a location's host, connected and logged in. USAGE and DENIED for a configuration that is not
 * right, UNREACHABLE, TIMED_OUT, DISCONNECTED, DENIED (key or login), PROTOCOL, UNSUPPORTED.
 */
export async function openCarrier(location: Location, options: SshOptions, scope: Scope): Promise<Carrier> {
  const config = await configFor(location, options);
  const { prompt, onNotice, verbose } = options;
  return SshConnection.open({ config, prompt, onNotice, verbose, scope });
}

async function configFor(location: Location, options: SshOptions): Promise<SshConfig> {
  const { host, user } = location;
  if (host === undefined) throw new XferError('USAGE', `location ${location.path}: names no host`);
  const config = await resolveSshConfig({
    host,
    user,
    port: location.port ?? options.port,
    configFile: options.configFile,
    options: options.options,
    identityFiles: options.identityFiles,
  });
  return { ...config, compression: options.compression ?? config.compression };
}
