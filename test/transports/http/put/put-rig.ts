/** What the tests of putting have in common: a sink on a URL, and a file that goes into it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { parseLocation } from '#xfer/location.js';
import type { Entry, Sink } from '#xfer/transport.js';
import { type HttpOptions, transport } from '#xfer/transports/http/index.js';
import { feed } from '../../../support/fixtures.js';
import { scope } from '../hostile-server.js';

/** A sink on a URL, closed with the test. */
export async function openSinkAt(t: TestContext, url: string, options: HttpOptions = {}): Promise<Sink> {
  const sink = await transport.openSink?.(parseLocation(url), { idleTimeoutMs: 5000, ...options }, scope);
  if (!sink) throw new Error('no sink');
  t.after(() => sink.close());
  return sink;
}

export function entryOf(path: string, bytes: Buffer, more: Partial<Entry> = {}): Entry {
  return { path, kind: 'file', size: bytes.length, version: 'v1', ...more };
}

/** Draft, write and commit in turn, as the engine does for a large file. What fails is suspended. */
export async function putFile(sink: Sink, path: string, bytes: Buffer, more: Partial<Entry> = {}): Promise<void> {
  const entry = entryOf(path, bytes, more);
  const draft = await sink.draft(entry, scope);
  const start = draft.held[0]?.end ?? 0;
  try {
    if (start < bytes.length) await feed(await draft.write(start, scope), bytes.subarray(start));
    await draft.commit(entry, scope);
  } catch (error) {
    await draft.suspend();
    throw error;
  }
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers OPTIONS as a server that has these features, and all else by `answer`. */
export function featured(fields: Record<string, string>, answer: Answer): Answer {
  return (request, response) => {
    if (request.method === 'OPTIONS') response.writeHead(204, fields).end();
    else answer(request, response);
  };
}

export const DRAFT = { 'Upload-Limit': 'max-age=3600' };
export const TUS = { 'Tus-Resumable': '1.0.0', 'Tus-Version': '1.0.0', 'Tus-Extension': 'creation,termination' };

/** Reads the body to its end, and answers then. */
export function afterBody(request: IncomingMessage, answer: (body: Buffer) => void): void {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => answer(Buffer.concat(pieces)));
  request.on('error', () => undefined);
}
