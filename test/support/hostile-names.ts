/** Names that break careless code: good ones that every tree must carry, and bad ones that no sink may follow. */
import { nameFromBytes } from '#xfer/names.js';

export interface FineName {
  readonly name: string;
  /** What the transport must carry for it: any text, or any bytes. */
  readonly needs: 'text' | 'bytes';
}

export const FINE_NAMES: readonly FineName[] = [
  { name: 'two words', needs: 'text' },
  { name: ' edges ', needs: 'text' },
  { name: 'line\nbreak', needs: 'text' },
  { name: 'tab\tbell\u0007', needs: 'text' },
  { name: `quote'double"back\`tick`, needs: 'text' },
  { name: 'back\\slash', needs: 'text' },
  { name: '$HOME;*?[a]{b,c}', needs: 'text' },
  { name: '%2e%2e%2fetc', needs: 'text' },
  { name: '100%', needs: 'text' },
  { name: 'a#b?c&d=e+f', needs: 'text' },
  { name: '-rf', needs: 'text' },
  { name: '~root', needs: 'text' },
  { name: '...', needs: 'text' },
  { name: '.hidden', needs: 'text' },
  { name: 'host:path', needs: 'text' },
  { name: '😀 family 👩‍👩‍👧', needs: 'text' },
  { name: 'e\u0301 NFD', needs: 'text' },
  { name: '\u00e9 NFC', needs: 'text' },
  { name: 'right\u202eleft', needs: 'text' },
  { name: '\ufeffbom', needs: 'text' },
  { name: 'x'.repeat(255), needs: 'text' },
  { name: '€'.repeat(85), needs: 'text' },
  { name: nameFromBytes(Buffer.from('latin-\xe9-name', 'latin1')), needs: 'bytes' },
  { name: nameFromBytes(Buffer.from([0xff, 0xfe, 0x80, 0xc3])), needs: 'bytes' },
];

/** Paths that no sink may follow, whatever they would reach. */
export const HOSTILE_PATHS: readonly string[] = [
  '..',
  '../escaped',
  '../../escaped',
  'a/../escaped',
  'a/../../escaped',
  'a/..',
  './escaped',
  'a/./escaped',
  '/escaped',
  '//escaped',
  'a//escaped',
  'a/',
  'nul\0byte',
  'a/nul\0',
];
