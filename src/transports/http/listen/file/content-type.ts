/** Media types by the end of a name. */

/** Type -> the ends that have it. Text types are sent as UTF-8. */
const TYPES: Record<string, string> = {
  'application/epub+zip': 'epub',
  'application/gzip': 'gz tgz',
  'application/java-archive': 'jar',
  'application/json': 'json map',
  'application/ld+json': 'jsonld',
  'application/manifest+json': 'webmanifest',
  'application/msword': 'doc',
  'application/pdf': 'pdf',
  'application/rtf': 'rtf',
  'application/vnd.android.package-archive': 'apk',
  'application/vnd.debian.binary-package': 'deb',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.ms-powerpoint': 'ppt',
  'application/vnd.oasis.opendocument.presentation': 'odp',
  'application/vnd.oasis.opendocument.spreadsheet': 'ods',
  'application/vnd.oasis.opendocument.text': 'odt',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.rar': 'rar',
  'application/wasm': 'wasm',
  'application/x-7z-compressed': '7z',
  'application/x-bzip2': 'bz2',
  'application/x-iso9660-image': 'iso',
  'application/x-sh': 'sh',
  'application/x-tar': 'tar',
  'application/x-xz': 'xz',
  'application/xhtml+xml': 'xhtml',
  'application/xml': 'xml xsl',
  'application/zip': 'zip',
  'application/zstd': 'zst',
  'audio/aac': 'aac',
  'audio/flac': 'flac',
  'audio/midi': 'mid midi',
  'audio/mp4': 'm4a',
  'audio/mpeg': 'mp3',
  'audio/ogg': 'ogg oga opus',
  'audio/wav': 'wav',
  'audio/webm': 'weba',
  'font/otf': 'otf',
  'font/ttf': 'ttf',
  'font/woff': 'woff',
  'font/woff2': 'woff2',
  'image/apng': 'apng',
  'image/avif': 'avif',
  'image/bmp': 'bmp',
  'image/gif': 'gif',
  'image/heic': 'heic',
  'image/jpeg': 'jpg jpeg jfif',
  'image/jxl': 'jxl',
  'image/png': 'png',
  'image/svg+xml': 'svg',
  'image/tiff': 'tif tiff',
  'image/vnd.microsoft.icon': 'ico',
  'image/webp': 'webp',
  'text/calendar': 'ics',
  'text/css': 'css',
  'text/csv': 'csv',
  'text/html': 'html htm',
  'text/javascript': 'js mjs cjs',
  'text/markdown': 'md markdown',
  'text/plain': 'txt text log conf ini cfg toml diff patch srt c h cc cpp hpp rs go py rb java ts tsx jsx sha256',
  'text/tab-separated-values': 'tsv',
  'text/vcard': 'vcf',
  'text/vtt': 'vtt',
  'text/yaml': 'yaml yml',
  'video/3gpp': '3gp',
  'video/mp2t': 'm2ts mts',
  'video/mp4': 'mp4 m4v',
  'video/mpeg': 'mpg mpeg',
  'video/ogg': 'ogv',
  'video/quicktime': 'mov',
  'video/webm': 'webm',
  'video/x-matroska': 'mkv',
  'video/x-msvideo': 'avi',
};

const UTF8_TOO: ReadonlySet<string> = new Set(['application/json', 'application/xml', 'application/manifest+json']);

const BY_END = new Map<string, string>(
  Object.entries(TYPES).flatMap(([type, ends]) => {
    const text = type.startsWith('text/') || UTF8_TOO.has(type);
    return ends.split(' ').map((end): [string, string] => [end, text ? `${type}; charset=utf-8` : type]);
  }),
);

/** What a browser may run as a part of the site that it came from, and not only show. */
const ACTIVE: ReadonlySet<string> = new Set([
  ...['text/html', 'application/xhtml+xml', 'image/svg+xml', 'application/xml', 'text/xml'],
]);

/** Whether a browser might run what a file of this name holds. */
export function isActive(name: string): boolean {
  return ACTIVE.has(contentTypeOf(name).split(';', 1)[0] as string);
}

/** The Content-Type of a file with this name; bytes of no known kind where the name says nothing. */
export function contentTypeOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return (dot < 0 ? undefined : BY_END.get(name.slice(dot + 1).toLowerCase())) ?? 'application/octet-stream';
}
