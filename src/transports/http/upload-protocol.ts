/** What the two protocols of uploads that go on are called on the wire; the one place that knows their versions. */

/** tus resumable upload protocol, 1.0.0. */
export const TUS = {
  version: '1.0.0',
  extensions: 'creation,creation-with-upload,creation-defer-length,termination,checksum,expiration',
  /** Names in Upload-Checksum -> those of Node. */
  checksums: { sha1: 'sha1', sha256: 'sha256', sha512: 'sha512' } as Readonly<Record<string, string>>,
  contentType: 'application/offset+octet-stream',
  checksumMismatch: 460,
} as const;

/** draft-ietf-httpbis-resumable-upload: interop version 8 is that of revision 12. */
export const RESUMABLE = {
  interopVersion: '8',
  /** Earlier ones that differ in nothing that is done here. */
  interopVersions: new Set(['5', '6', '7', '8']) as ReadonlySet<string>,
  interopField: 'Upload-Draft-Interop-Version',
  contentType: 'application/partial-upload',
  supported: '104 Upload Resumption Supported',
  problems: {
    offset: 'https://iana.org/assignments/http-problem-types#mismatching-upload-offset',
    complete: 'https://iana.org/assignments/http-problem-types#completed-upload',
    length: 'https://iana.org/assignments/http-problem-types#inconsistent-upload-length',
  },
} as const;

/** First part of the path of an upload that can go on; after it comes its id. */
export const UPLOADS_FOLDER = '.xfer-upload';

/** The id in the target of an upload that can go on; undefined for any other target. */
export function uploadIdOf(target: string): string | undefined {
  return /^\/\.xfer-upload\/([0-9a-z]{26})(?:\?.*)?$/.exec(target)?.[1];
}

/** An integer of a field as RFC 9651 writes it; undefined where it is none, or is not given. */
export function integerField(field: string | string[] | undefined): number | undefined {
  return typeof field === 'string' && /^ *\d{1,15} *$/.test(field) ? Number(field) : undefined;
}

/** A boolean of a field as RFC 9651 writes it. */
export function booleanField(field: string | string[] | undefined): boolean | undefined {
  return field === '?1' ? true : field === '?0' ? false : undefined;
}
