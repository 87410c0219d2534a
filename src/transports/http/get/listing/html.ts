/** References in the HTML that Apache, nginx, caddy, python, lighttpd, rclone and others list a folder with. */
import type { Reference } from './listed.js';

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

/**
 * What the anchors of a page refer to, in its order. Comments and what scripts and styles hold are no anchors. Time grows
 * with the length of the page alone.
 */
export function* htmlReferences(page: string): Generator<Reference> {
  for (let at = page.indexOf('<'); at >= 0; at = page.indexOf('<', at)) {
    if (page.startsWith('<!--', at)) {
      at = after(page, '-->', at + 4);
      continue;
    }
    const name = /^<([a-z]+)/i.exec(page.slice(at, at + 20))?.[1]?.toLowerCase();
    if (name === undefined) {
      at += 1;
      continue;
    }
    const { attributes, end } = tagAt(page, at + 1 + name.length);
    const href = name === 'a' ? attributes.get('href') : undefined;
    if (href !== undefined) yield { href };
    at = name === 'script' || name === 'style' ? after(page, `</${name}`, end) : end;
  }
}

function after(page: string, mark: string, from: number): number {
  const found = page.indexOf(mark, from);
  return found < 0 ? page.length : found + mark.length;
}

const ATTRIBUTE = /[\s/]*(?:(>)|([^\s=>/"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']*)))?|.)/gsy;

/** The attributes of a tag, the first of each name, and where it ends; none of one that does not end. */
function tagAt(page: string, from: number): { attributes: Map<string, string>; end: number } {
  const attributes = new Map<string, string>();
  ATTRIBUTE.lastIndex = from;
  for (let match = ATTRIBUTE.exec(page); match; match = ATTRIBUTE.exec(page)) {
    const [, closed, name, double, single, bare] = match;
    if (closed !== undefined) return { attributes, end: ATTRIBUTE.lastIndex };
    const key = name?.toLowerCase();
    if (key !== undefined && !attributes.has(key))
      attributes.set(key, unescapeEntities(double ?? single ?? bare ?? ''));
  }
  return { attributes: new Map(), end: page.length };
}

function unescapeEntities(text: string): string {
  return text.replace(/&(?:#([0-9]{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,5}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[String(name).toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
    return code > 0 && code <= 0x10_ffff ? String.fromCodePoint(code) : '';
  });
}
