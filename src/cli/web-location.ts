/** Locations of web servers, as they are typed. */
import { XferError } from '../errors.js';
import { type Location, parseLocation } from '../location.js';

export function isWeb({ scheme }: Location): boolean {
  return scheme === 'http' || scheme === 'https';
}

/** What to say where something else was typed. */
export interface WebHints {
  /** A path, or a host alone. */
  readonly path: string;
  /** A host and its port. */
  readonly hostPort: string;
}

/** The URL that was typed. USAGE where it is none: `what` starts the message, as in `get example.org`. */
export function parseWeb(what: string, text: string, platform: NodeJS.Platform, hints: WebHints): Location {
  const location = parseLocation(text, platform);
  if (isWeb(location)) return location;
  throw new XferError('USAGE', `${what}: not an http or https URL`, { hint: hintFor(location, text, hints) });
}

function hintFor({ scheme }: Location, text: string, { path, hostPort }: WebHints): string {
  if (scheme === 'file' && !text.includes(':')) return path;
  if (scheme !== 'file' && /^[^/@]+:\d+(?:\/|$)/.test(text)) return hostPort;
  return 'xfer cp takes other locations';
}
