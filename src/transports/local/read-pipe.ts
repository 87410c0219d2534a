/** A named pipe as a stream, which can be given up at any time. */
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { FsPath } from './root.js';

/**
 * All that is written to the pipe until its last writer closes it; waits for the first one. By the event loop: an open or a
 * read that waits in a thread can be stopped by nothing, and keeps the process from its end. Throws as `openSync` does, and
 * for what is no pipe.
 */
export function readPipe(place: FsPath): Readable {
  const fd = openSync(place, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
