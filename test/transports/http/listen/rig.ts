/** A source over a directory that confines nothing and counts what it opens, and a listener that shares it. */
import { constants, type Stats } from 'node:fs';
import { mkdtemp, open, opendir, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { toXferError, XferError } from '#xfer/errors.js';
import { bytesFromName, nameFromBytes } from '#xfer/names.js';
import type { Entry, Listener, OpenFile, Source } from '#xfer/transport.js';
import { type HttpListenOptions, listen } from '#xfer/transports/http/listen/index.js';

export { until } from '../../../support/until.js';

export interface DiskSource extends Source {
  opened: number;
  closed: number;
  /** Bytes that its streams were read of. */
  bytesRead: number;
}

export function diskSource(root: string, name = 'share'): DiskSource {
  const full = (path: string): Buffer =>
    Buffer.concat([Buffer.from(path === '' ? root : `${root}/`), bytesFromName(path)]);
  const source: DiskSource = {
    opened: 0,
    closed: 0,
    bytesRead: 0,
    label: 'test share',
    identity: `test:${root}`,
    name,
    capabilities: { ranges: true, replay: true, parallel: true, metadata: true },
    async *entries() {},
    read: () => Promise.reject(new Error('not used by a listener')),
    async stat(path) {
      try {
        return entryOf(path, await stat(full(path)));
      } catch (error) {
        const failure = toXferError(error, 'stat');
        if (failure.code === 'NOT_FOUND') return undefined;
        throw failure;
      }
    },
    async *list(directory) {
      const folder = await opendir(full(directory).toString('latin1'), { encoding: 'latin1' as BufferEncoding }).catch(
        (error) => {
          throw toXferError(error, 'list');
        },
      );
      for await (const found of folder) {
        const path = (directory === '' ? '' : `${directory}/`) + nameFromBytes(Buffer.from(found.name, 'latin1'));
        const entry = await source.stat?.(path, { signal: new AbortController().signal });
        if (entry) yield entry;
      }
    },
    open: (path) => openFile(source, full(path), path),
    close: () => Promise.resolve(),
  };
  return source;
}

async function openFile(source: DiskSource, full: Buffer, path: string): Promise<OpenFile> {
  const file = await open(full, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((error) => {
    throw toXferError(error, 'open');
  });
  const stats = await file.stat();
  if (stats.isDirectory()) {
    await file.close();
    throw new XferError('EXISTS', 'open: is a directory');
  }
  source.opened += 1;
  let open_ = true;
  return {
    entry: entryOf(path, stats),
    read({ start, end }) {
      if (end === start) return Readable.from([]);
      const last = end === undefined ? {} : { end: end - 1 };
      const stream = file.createReadStream({ start, ...last, autoClose: false });
      stream.on('data', (chunk) => {
        source.bytesRead += chunk.length;
      });
      return stream;
    },
    async close() {
      if (!open_) return;
      open_ = false;
      await file.close();
      source.closed += 1;
    },
  };
}

function entryOf(path: string, stats: Stats): Entry {
  const { size, mtimeMs, ino } = stats;
  if (stats.isDirectory()) return { path, kind: 'directory', mtimeMs };
  return { path, kind: 'file', size, mtimeMs, version: `${ino}-${size}-${mtimeMs}` };
}

/** A new directory that goes when the test ends. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'xfer-serve-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface Served {
  readonly listener: Listener;
  readonly source: DiskSource;
  readonly port: number;
  readonly url: string;
}

/** Serves a folder, or the file `single`, on 127.0.0.1 until the test ends. */
export async function serve(t: TestContext, root: string, options: Partial<HttpListenOptions> = {}): Promise<Served> {
  const source = (options.share ?? diskSource(root)) as DiskSource;
  const scope = { signal: new AbortController().signal };
  // The name that the raw requests of the tests give.
  const usual = { hosts: ['127.0.0.1'], port: 0, allowHosts: ['test'] };
  const listener = await listen({ ...usual, ...options, share: source }, scope);
  t.after(() => listener.close());
  const { port } = listener.address;
  return { listener, source, port, url: `http://127.0.0.1:${port}` };
}

/** Sends text as it is and resolves with all that came, as one character for each byte, when the server closed. */
export function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    socket.write(Buffer.from(text, 'latin1'));
  });
}

/** A GET of a target exactly as it is written. */
export function get(port: number, target: string, fields = ''): Promise<string> {
  return exchange(port, `GET ${target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${fields}\r\n`);
}
