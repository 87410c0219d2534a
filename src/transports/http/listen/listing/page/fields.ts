import { POLICY, UPLOAD_POLICY } from './assets.js';

/** The fields of every answer that is made of a folder or a file, and not a file itself. `takes`: its forms change something. */
export function pageFields(contentType: string, takes = false): Record<string, string> {
  return {
    'Content-Type': contentType,
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    // With no-referrer a browser would say nothing of where a form comes from, and it would be taken for another site's.
    'Referrer-Policy': takes ? 'same-origin' : 'no-referrer',
    'Content-Security-Policy': takes ? UPLOAD_POLICY : POLICY,
  };
}
