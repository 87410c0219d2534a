/** Servers that lie to whoever downloads from them, each in its way. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { patternBytes } from '../../support/fixtures.js';

/** Longer than what is never resumed. */
const SIZE = 20 << 20;
/** Where an honest first half is cut. */
const CUT = 12 << 20;
const OLD = 'Wed, 21 Oct 2015 07:28:00 GMT';

export const FIRST = patternBytes(SIZE, 7);
const SECOND = patternBytes(SIZE, 8);

export interface Lie {
  readonly title: string;
  /** What a download may be, to be right. */
  readonly right: readonly Buffer[];
  /** An honest server that cuts the first download comes before the lie. */
  readonly resumed?: true;
  answer(request: IncomingMessage, response: ServerResponse): void;
}

type Fields = Record<string, string | number>;

const HONEST: Fields = { 'accept-ranges': 'bytes', etag: '"one"', 'last-modified': OLD };

/** The start and the end that a request asks for, or undefined. */
function asked(request: IncomingMessage): { start: number; end: number } | undefined {
  const [, start, end] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (start === undefined) return undefined;
  return { start: Number(start), end: end ? Math.min(Number(end) + 1, SIZE) : SIZE };
}

/** Answers as a good server does, ranges and If-Range included. */
function honest(bytes: Buffer, request: IncomingMessage, response: ServerResponse, fields: Fields = HONEST): void {
  const condition = request.headers['if-range'];
  const range = condition === undefined || condition === fields.etag ? asked(request) : undefined;
  if (!range) {
    response.writeHead(200, { ...fields, 'content-length': bytes.length }).end(bytes);
    return;
  }
  const { start, end } = range;
  const part = bytes.subarray(start, end);
  response.writeHead(206, {
    ...fields,
    'content-length': part.length,
    'content-range': `bytes ${start}-${end - 1}/${SIZE}`,
  });
  response.end(part);
}

/** An honest answer that ends in the middle. */
export function cut(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { ...HONEST, 'content-length': SIZE });
  response.write(FIRST.subarray(0, CUT), () => setTimeout(() => response.destroy(), 200));
}

const digest = `sha-256=:${createHash('sha256').update(FIRST).digest('base64')}:`;
const flipped = Buffer.from(FIRST);
flipped[SIZE / 2] = (flipped[SIZE / 2] as number) ^ 1;
const bomb = gzipSync(Buffer.alloc(64 << 20));

export const LIES: readonly Lie[] = [
  {
    title: 'the file changes under a resume',
    right: [FIRST, SECOND],
    resumed: true,
    answer: (request, response) => honest(SECOND, request, response, { ...HONEST, etag: '"two"' }),
  },
  {
    title: 'it changes, and ranges are given of the new one whatever is asked',
    right: [FIRST, SECOND],
    resumed: true,
    answer: (request, response) => {
      delete request.headers['if-range'];
      honest(SECOND, request, response, { ...HONEST, etag: '"two"' });
    },
  },
  {
    title: 'a byte is wrong, and Repr-Digest right',
    right: [FIRST],
    answer: (request, response) => honest(flipped, request, response, { ...HONEST, 'repr-digest': digest }),
  },
  {
    title: 'a wrong Content-Range',
    right: [FIRST],
    resumed: true,
    answer: (request, response) => {
      const range = asked(request);
      if (!range) return honest(FIRST, request, response);
      const start = range.start - 1000;
      response.writeHead(206, {
        ...HONEST,
        'content-length': SIZE - start,
        'content-range': `bytes ${start}-${SIZE - 1}/${SIZE}`,
      });
      response.end(FIRST.subarray(start));
    },
  },
  {
    title: 'Content-Range as asked, and other bytes',
    right: [FIRST],
    resumed: true,
    answer: (request, response) => {
      const range = asked(request);
      if (!range) return honest(FIRST, request, response, { ...HONEST, 'repr-digest': digest });
      const { start, end } = range;
      response.writeHead(206, {
        ...HONEST,
        'repr-digest': digest,
        'content-length': end - start,
        'content-range': `bytes ${start}-${end - 1}/${SIZE}`,
      });
      response.end(SECOND.subarray(start, end));
    },
  },
  {
    title: 'a short body',
    right: [FIRST],
    answer: (_, response) => {
      response.writeHead(200, { etag: '"one"', 'content-length': SIZE });
      response.write(FIRST.subarray(0, CUT), () => response.destroy());
    },
  },
  {
    title: 'a short body without a length, reset in the middle of a chunk',
    right: [FIRST],
    answer: (_, response) => {
      response.writeHead(200, { etag: '"one"', 'transfer-encoding': 'chunked' });
      response.write(FIRST.subarray(0, CUT), () => response.socket?.resetAndDestroy());
    },
  },
  {
    title: 'a long body',
    right: [FIRST],
    resumed: true,
    answer: (request, response) => {
      const range = asked(request);
      const start = range?.start ?? 0;
      const bytes = Buffer.concat([FIRST.subarray(start), SECOND.subarray(0, 5000)]);
      const part = { 'content-range': `bytes ${start}-${SIZE - 1}/${SIZE}`, 'content-length': bytes.length };
      // Node sends what it is given, however long it said that would be.
      response.writeHead(range ? 206 : 200, { ...HONEST, ...(range ? part : { 'content-length': SIZE }) }).end(bytes);
    },
  },
  {
    title: '200, and the whole, for a range',
    right: [FIRST],
    resumed: true,
    answer: (_, response) => {
      response.writeHead(200, { ...HONEST, 'content-length': SIZE }).end(FIRST);
    },
  },
  {
    title: 'a redirect loop',
    right: [],
    answer: (request, response) => {
      response.writeHead(302, { location: request.url === '/file' ? '/again' : '/file' }).end();
    },
  },
  {
    title: 'headers without an end',
    right: [],
    answer: (_, { socket }) => {
      socket?.write('HTTP/1.1 200 OK\r\n');
      const more = () => {
        while (socket?.writable && socket.write(`X-${'a'.repeat(8000)}: b\r\n`));
      };
      socket?.on('drain', more).on('error', () => {});
      more();
    },
  },
  {
    title: 'a gzip bomb that nobody asked for',
    right: [],
    answer: (_, response) => {
      response.writeHead(200, { ...HONEST, 'content-encoding': 'gzip', 'content-length': bomb.length }).end(bomb);
    },
  },
];
