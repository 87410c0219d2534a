/** Values of scp's `-X` (scp.1). */
import { XferError } from '../errors.js';
import type { SshOptions } from '../transports/ssh/index.js';

/** What scp takes at most, for either. */
const MOST = 256 * 1024;
const UNITS = 'BKMGTPE';

/** `nrequests=n` and `buffer=size`; the last of each counts. USAGE where scp refuses it too. */
export function sftpTuning(values: readonly string[]): Pick<SshOptions, 'requests' | 'requestBytes'> {
  let tuning: Pick<SshOptions, 'requests' | 'requestBytes'> = {};
  for (const value of values) {
    const [, name, text] = /^(nrequests|buffer)=(.*)$/s.exec(value) ?? [];
    if (name === undefined || text === undefined) {
      throw new XferError('USAGE', `option -X ${value}: not nrequests=n or buffer=size`);
    }
    const number = name === 'buffer' ? scaled(text) : /^\s*\+?[0-9]+$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= 1 && number <= MOST)) {
      const range = name === 'buffer' ? 'a size from 1 to 256K' : `a number from 1 to ${MOST}`;
      throw new XferError('USAGE', `option -X ${value}: not ${range}`);
    }
    tuning = { ...tuning, [name === 'buffer' ? 'requestBytes' : 'requests']: number };
  }
  return tuning;
}

/** A number, also with a fraction, and at most one letter for its unit of 1,024 (scan_scaled, fmt_scaled.3). */
function scaled(text: string): number {
  const [, digits, unit] = /^\s*\+?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([bkmgtpe]?)$/i.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return Number.NaN;
  return Math.floor(Number(digits) * 1024 ** Math.max(0, UNITS.indexOf(unit.toUpperCase() || 'B')));
}
