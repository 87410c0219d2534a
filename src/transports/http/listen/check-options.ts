/** Whether what the listener is told can be done, in so far as no part of it looks at that itself. */
import type { MdnsOptions } from '../../../mdns/options.js';
import {
  COUNT,
  COUNT_OR_ENDLESS,
  COUNT_OR_NONE,
  checkKinds,
  DELAY,
  type Kinds,
  oneOf,
  PORT,
  TEXT,
  TEXTS,
  TIME,
} from '../../../option-rules.js';
import type { ArchiveLimits } from './archive/archives.js';
import type { CgiOptions } from './cgi/options.js';
import type { HttpListenOptions } from './options.js';
import type { TlsRenewal } from './tls/renewal.js';
import type { UploadOptions } from './upload/options.js';

const KINDS: Kinds<HttpListenOptions> = {
  hosts: TEXTS,
  loginFor: oneOf('everything', 'writes'),
  allow: TEXTS,
  allowHosts: TEXTS,
};
const UPLOAD: Kinds<UploadOptions> = {
  mostFileBytes: COUNT_OR_NONE,
  quotaBytes: COUNT_OR_NONE,
  keepPartsMs: DELAY,
  recordsDirectory: TEXT,
  mostAtOnce: COUNT_OR_ENDLESS,
};
const CGI: Kinds<CgiOptions> = {
  directories: TEXTS,
  maxBodyBytes: COUNT_OR_NONE,
  maxScripts: COUNT,
};
const ARCHIVES: Kinds<ArchiveLimits> = { rows: COUNT_OR_NONE, underWay: COUNT_OR_NONE, compressed: COUNT_OR_NONE };
const MDNS: Kinds<MdnsOptions> = { name: TEXT, host: TEXT, interface: TEXT, port: PORT };
const RENEWAL: Kinds<TlsRenewal> = { everyMs: TIME };

/** USAGE for the first option that is there and cannot be followed. */
export function checkListenOptions(options: HttpListenOptions): void {
  const { upload, cgi, archives, mdns, tlsRenewal } = options;
  checkKinds('serve', options, KINDS);
  checkKinds('serve', upload, UPLOAD, 'upload');
  checkKinds('serve', cgi, CGI, 'cgi');
  checkKinds('serve', archives, ARCHIVES, 'archives');
  checkKinds('serve', mdns, MDNS, 'mdns');
  checkKinds('serve', tlsRenewal, RENEWAL, 'tlsRenewal');
}
