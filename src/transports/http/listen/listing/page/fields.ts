import { POLICY } from './assets.js';

/** The fields of every answer that is made of a folder or a file, and not a file itself. */
export function pageFields(contentType: string): Record<string, string> {
  return {
    'Content-Type': contentType,
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy': POLICY,
  };
}
