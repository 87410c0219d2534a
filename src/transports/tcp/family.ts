import { isIP } from 'node:net';
import { XferError } from '../../errors.js';

/** USAGE where a host is an address of the other family than the one that is asked for; 0 asks for either. */
export function checkFamily(host: string, family: number): void {
  const own = isIP(host);
  if (family === 0 || own === 0 || own === family) return;
  throw new XferError('USAGE', `address ${host}: not one of IPv${family}`, {
    hint: `leave out the address, or -${family}`,
  });
}
