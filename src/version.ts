import { readFileSync } from 'node:fs';
import { ownFile } from './package/own-files.js';

/** The version of xfer, as its package states it. */
export function readVersion(): string {
  const text = readFileSync(ownFile('../package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
