/** Bodies that are saved as they come. */
import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.js';

/** 400 for a part of a file (RFC 9110, 14.5), 415 for a coded one: what was saved would not be what its name says. */
export function checkAsItIs({ headers }: IncomingMessage): void {
  if (headers['content-range'] !== undefined) {
    throw new Refusal(400, 'A file can only be put whole: Content-Range is not understood.');
  }
  const coding = headers['content-encoding'];
  if (coding !== undefined && !/^identity$/i.test(coding)) {
    throw new Refusal(415, 'A file can only be put as it is, without a Content-Encoding.');
  }
}
