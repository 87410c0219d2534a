import { createHash } from 'node:crypto';

/** A short name for what these texts stand for together: 128 bits of their SHA-256, in hex. */
export function idOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);
}
