/** The style and the script of the page, as the build put them beside this file, and the policy that allows them alone. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ownFile } from '../../../../../package/own-files.js';

export const STYLE = built('style/main.css');
export const SCRIPT = built('script/main.js');

/** Of the pages that take files, beside the others. */
export const UPLOAD_STYLE = built('style/upload.css');
export const UPLOAD_SCRIPT = built('script/upload/main.js');

/** A folder, in the page itself: a browser would ask for /favicon.ico, which nobody shares. */
export const ICON = `<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#3f83e0" d="M0 3a2 2 0 0 1 2-2h4l2 2h6a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H2a2 2 0 0 1-2-2z"/></svg>',
)}">`;

/**
 * Nothing runs and nothing is loaded but what is named here (CSP level 3): the page's own script and style, by their
 * digests; its icon; and from this server what can be looked at: pictures, sound and film, text, and PDF in a frame. Forms
 * go to this server, because without a script a form sorts.
 */
export const POLICY = policyOf([STYLE], [SCRIPT]);

/** Of a page that takes files. */
export const UPLOAD_POLICY = policyOf([STYLE, UPLOAD_STYLE], [SCRIPT, UPLOAD_SCRIPT]);

function policyOf(styles: readonly string[], scripts: readonly string[]): string {
  return [
    "default-src 'none'",
    `style-src ${digestsOf(styles)}`,
    `script-src ${digestsOf(scripts)}`,
    "img-src 'self' data:",
    "media-src 'self'",
    "connect-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function built(name: string): string {
  return readFileSync(ownFile(`transports/http/listen/listing/page/${name}`), 'utf8').trim();
}

function digestsOf(texts: readonly string[]): string {
  return texts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(' ');
}
