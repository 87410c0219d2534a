/** Where an answer sends on to. */
import { XferError } from '../../../errors.js';
import { describeUrl } from './describe-url.js';

/** Where a redirect leads (RFC 9110 10.2.2). PROTOCOL where it is no URL, or gives up encryption. `verb` starts messages. */
export function redirectTarget(url: URL, location: string, verb = 'get'): URL {
  const text = Buffer.from(location, 'latin1').toString('utf8');
  const next = URL.canParse(text, url.href) ? new URL(text, url) : undefined;
  if (!next || (next.protocol !== 'http:' && next.protocol !== 'https:')) {
    throw new XferError('PROTOCOL', `${verb} ${describeUrl(url)}: redirects to what is no web address`);
  }
  if (url.protocol === 'https:' && next.protocol === 'http:') {
    throw new XferError(
      'PROTOCOL',
      `${verb} ${describeUrl(url)}: redirects to ${describeUrl(next)}, which is not encrypted`,
      {
        hint: `if that is meant, name it: ${describeUrl(next)}`,
      },
    );
  }
  next.username = '';
  next.password = '';
  next.hash = '';
  return next;
}
