/** What a file is to a person who looks at a listing: which icon it has, and how it can be looked at. */
import { contentTypeOf } from '../file/content-type.js';

export type MediaKind = 'image' | 'audio' | 'video' | 'text' | 'page' | 'pdf' | 'archive' | 'file';

/** Kinds whose types do not begin with the kind's name. */
const BY_TYPE: Record<string, MediaKind> = {
  'text/html': 'page',
  'application/xhtml+xml': 'page',
  'application/pdf': 'pdf',
  'application/json': 'text',
  'application/ld+json': 'text',
  'application/manifest+json': 'text',
  'application/x-sh': 'text',
  'application/xml': 'text',
  'application/gzip': 'archive',
  'application/java-archive': 'archive',
  'application/vnd.debian.binary-package': 'archive',
  'application/vnd.rar': 'archive',
  'application/x-7z-compressed': 'archive',
  'application/x-bzip2': 'archive',
  'application/x-iso9660-image': 'archive',
  'application/x-tar': 'archive',
  'application/x-xz': 'archive',
  'application/zip': 'archive',
  'application/zstd': 'archive',
};

/** Names without an end that say what they hold. */
const TEXT_NAMES = /^(?:readme|licen[cs]e|copying|authors|changelog|changes|news|notice|todo|makefile|dockerfile)$/i;

const known = new Map<string, MediaKind>();

/** By the name alone. Whatever a browser would run, a page, is never one of the kinds that can be looked at. */
export function mediaKind(name: string): MediaKind {
  if (!name.includes('.')) return TEXT_NAMES.test(name) ? 'text' : 'file';
  const type = contentTypeOf(name);
  let kind = known.get(type);
  if (kind === undefined) {
    kind = kindOfType((type.split(';', 1)[0] as string).toLowerCase());
    known.set(type, kind);
  }
  return kind;
}

function kindOfType(type: string): MediaKind {
  const main = type.split('/', 1)[0];
  return BY_TYPE[type] ?? (main === 'image' || main === 'audio' || main === 'video' || main === 'text' ? main : 'file');
}
