/** What a failed request or a failed body means. */
import { systemCode, toXferError, XferError } from '../../../errors.js';

/** An error of Node's HTTP, TLS or sockets as an XferError. `what` starts the message. */
export function requestError(error: Error, what: string): XferError {
  const code = systemCode(error) ?? '';
  if (error instanceof XferError) return error;
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new XferError('PROTOCOL', `${what}: its headers have no end`, { cause: error });
  }
  if (code.startsWith('HPE_')) {
    return new XferError('PROTOCOL', `${what}: the answer is not HTTP (${code})`, { cause: error });
  }
  if (/CERT|UNABLE_TO_VERIFY/.test(code)) {
    return new XferError('DENIED', `${what}: its certificate is not trusted (${code})`, {
      cause: error,
      hint: 'where you know whose it is: --pin with the pin that its server printed, or --cacert with the file of its issuer',
    });
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
    return new XferError('PROTOCOL', `${what}: no TLS is spoken there`, { cause: error, hint: 'try http://' });
  }
  return toXferError(error, what);
}
