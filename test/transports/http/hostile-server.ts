/** Servers in this process that answer as a test tells them, rightly or not, and the client's side of a test. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createRawServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { parseLocation } from '#xfer/location.js';
import type { Entry, Source } from '#xfer/transport.js';
import { type HttpOptions, transport } from '#xfer/transports/http/index.js';

export const scope = { signal: AbortSignal.timeout(20_000) };
export const OLD = 'Wed, 21 Oct 2015 07:28:00 GMT';

async function listen(t: TestContext, server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

/**
 * A server that answers every request by `answer`; its URL without a slash at the end. `holdsBack`: it never says 100 to
 * those who wait for it.
 */
export function serve(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  holdsBack = false,
) {
  const server = createServer(answer);
  return listen(t, holdsBack ? server.on('checkContinue', answer) : server);
}

/** A server that writes `answers` one after the other, one for each request, and then holds the connection. */
export function serveRaw(t: TestContext, ...answers: string[]): Promise<string> {
  let next = 0;
  return listen(
    t,
    createRawServer((socket) => {
      socket.on('data', () => socket.write(answers[Math.min(next++, answers.length - 1)] as string, 'latin1'));
    }),
  );
}

/** Opens a URL, to be closed with the test. */
export async function open(t: TestContext, url: string, options: HttpOptions = {}): Promise<Source> {
  const source = await transport.openSource?.(parseLocation(url), { idleTimeoutMs: 5000, ...options }, scope);
  if (!source) throw new Error('no source');
  t.after(() => source.close());
  return source;
}

/** The one entry of a source. */
export async function entryOf(source: Source): Promise<Entry> {
  for await (const entry of source.entries(scope)) return entry;
  throw new Error('no entry');
}

/** The text of a range, as the source gives it. */
export async function readText(source: Source, start = 0, end?: number): Promise<string> {
  const range = end === undefined ? { start } : { start, end };
  return text(await source.read(await entryOf(source), range, scope));
}
