/** Standard input as a source, standard output as a sink. */
import { fstatSync, read } from 'node:fs';
import { type Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { throwIfAborted, toXferError, XferError } from '../../errors.js';
import type { Draft, Entry, OpenFile, OpenOptions, Scope, Sink, Source, Transport } from '../../transport.js';
import { FileReader, type FileReaderOptions } from './file-reader.js';

const STDIN = 0;
const readFrom = promisify(read);

/** One file that can be read once; a listener can give it to the first who asks. */
class StdinSource implements Source {
  readonly label = 'standard input';
  readonly identity = 'stdio:0';
  readonly name: string;
  readonly capabilities = { ranges: false, replay: false, parallel: false, metadata: false };
  #read = false;

  constructor(name = 'stdin') {
    this.name = name;
  }

  async *entries(): AsyncGenerator<Entry> {
    yield { path: '', kind: 'file' };
  }

  async read(_entry: Entry, _range: unknown, scope: Scope): Promise<Readable> {
    throwIfAborted(scope.signal);
    return this.#take();
  }

  async stat(path: string): Promise<Entry | undefined> {
    return path === '' ? { path: '', kind: 'file' } : undefined;
  }

  async *list(): AsyncGenerator<Entry> {}

  async open(path: string, scope: Scope): Promise<OpenFile> {
    throwIfAborted(scope.signal);
    if (path !== '') throw new XferError('NOT_FOUND', 'open standard input: nothing is below it');
    return { entry: { path: '', kind: 'file' }, read: () => this.#take(), close: async () => {} };
  }

  #take(): Readable {
    if (this.#read) throw new XferError('UNSUPPORTED', 'read standard input: it can be read only once');
    this.#read = true;
    return isFile(STDIN) ? openedFile(STDIN, this.label) : process.stdin;
  }

  async close(): Promise<void> {
    if (!isFile(STDIN)) process.stdin.destroy();
  }
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}

/** A file that a shell opened, from where it stands on: Node's own stream of it takes 64 KiB at a time, each in a thread. */
function openedFile(descriptor: number, label: string): FileReader {
  const handle = {
    fd: descriptor,
    read: (buffer: Buffer, offset: number, length: number, position: number | null) =>
      readFrom(descriptor, buffer, offset, length, position),
  } as FileReaderOptions['handle'];
  return new FileReader({ handle, label, start: 0, atOwnPosition: true });
}

class StdoutSink implements Sink {
  readonly label = 'standard output';
  readonly identity = 'stdio:1';
  readonly capabilities = {
    offsets: false,
    atomic: false,
    resume: false,
    parallel: false,
    metadata: false,
    once: true,
  };

  async stat(): Promise<undefined> {
    return undefined;
  }

  async create(entry: Entry): Promise<void> {
    throw new XferError('UNSUPPORTED', `write ${entry.path || 'a directory'}: standard output takes one file`, {
      hint: 'name a directory as the target, or one file to copy',
    });
  }

  async draft(_entry: Entry, scope: Scope): Promise<Draft> {
    throwIfAborted(scope.signal);
    return {
      held: [],
      write: async () => new StdoutWriter(process.stdout),
      commit: async () => {},
      suspend: async () => {},
      discard: async () => {},
    };
  }

  async close(): Promise<void> {}
}

/** Ends without ending the stream below it, which others may still write to. */
class StdoutWriter extends Writable {
  readonly #below: Writable;
  readonly #fail = (error: Error): void => {
    this.destroy(toXferError(error, 'write standard output'));
  };

  constructor(below: Writable) {
    super({ highWaterMark: 1 << 20 });
    this.#below = below;
    below.on('error', this.#fail);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#below.write(chunk, (error) => callback(error && toXferError(error, 'write standard output')));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#below.off('error', this.#fail);
    callback(error);
  }
}

export interface StdioOptions extends OpenOptions {
  /** What standard input is called where it becomes a file in a directory; `stdin` where absent. */
  readonly inputName?: string;
}

export const transport: Transport = {
  scheme: 'stdio',
  aliases: [],
  summary: 'standard input and output, written -',
  openSource: async (_location, { inputName }: StdioOptions) => new StdinSource(inputName),
  openSink: async () => new StdoutSink(),
};
