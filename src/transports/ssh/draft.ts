/** A file on its way to an sftp server. */
import type { Writable } from 'node:stream';
import { abortable } from '../../concurrency/on-abort.js';
import { throwIfAborted, XferError } from '../../errors.js';
import { nameFromBytes } from '../../names.js';
import { streamDigest } from '../../streams/digest.js';
import type { ByteRange, Digest, DigestAlgorithm, Draft, Entry, OpenOptions, Scope } from '../../transport.js';
import { attributesOf, explainWrite, noticeAttributes, renameOver } from './commit.js';
import { type FarDigest, WORTH_A_PROGRAM_BYTES } from './far-digest.js';
import { LARGE_BYTES, type LaneOpener } from './sessions.js';
import type { Attributes } from './sftp/attributes.js';
import type { SftpClient } from './sftp/client.js';
import { OPEN } from './sftp/codec.js';
import { RangeReader } from './sftp/range-reader.js';
import { RangeWriter } from './sftp/range-writer.js';

export interface SftpDraftOptions {
  readonly client: SftpClient;
  readonly lane: LaneOpener;
  /** The far side's own digest of a file; undefined where it has none. */
  readonly farDigest: FarDigest;
  readonly path: Buffer;
  /** Undefined: the target itself is written. */
  readonly temporary: Buffer | undefined;
  /** Nothing has the target's name. */
  readonly isNew?: boolean;
  readonly entry: Entry;
  readonly handle: Buffer;
  /** Length of what an earlier run left. */
  readonly held: number;
  readonly onNotice?: OpenOptions['onNotice'];
  /** False: a device, which has no size to set or to compare, and is not synced. */
  readonly sized?: boolean;
}

/** What the server said when the file was closed; sent ahead of `commit` where the last byte is known to be written. */
interface Seal {
  readonly size: number | undefined;
  readonly attributes: Attributes;
  readonly attributesError: unknown;
}

interface Place {
  readonly client: SftpClient;
  readonly handle: Buffer;
  /** Of a lane. */
  readonly leave?: () => void;
}

/** Smaller files are not worth the wait for a disk. */
const FSYNC_BYTES = 1024 * 1024;

export class SftpDraft implements Draft {
  readonly held: readonly ByteRange[];
  readonly #options: SftpDraftOptions;
  readonly #what: string;
  #handle: Promise<Buffer> | undefined;
  /** Handles of the same file on other sessions, for lanes. */
  readonly #others = new Map<SftpClient, Promise<Buffer>>();
  #seal: Promise<Seal> | undefined;
  #acknowledged = 0;

  constructor(options: SftpDraftOptions) {
    this.#options = options;
    this.#handle = Promise.resolve(options.handle);
    this.#what = `write ${nameFromBytes(options.path)}`;
    this.held = options.held > 0 ? [{ start: 0, end: options.held }] : [];
  }

  get keptAs(): string | undefined {
    const { entry, temporary } = this.#options;
    return temporary && entry.version !== undefined ? nameFromBytes(temporary) : undefined;
  }

  async write(start: number, scope: Scope): Promise<Writable> {
    throwIfAborted(scope.signal);
    const { entry, held, path, temporary } = this.#options;
    const { client, handle, leave } = await this.#place(start, scope);
    const fromStart = start === 0 && held === 0;
    const whole = fromStart && temporary !== undefined;
    const writer = new RangeWriter({
      client,
      handle,
      start,
      what: this.#what,
      signal: scope.signal,
      explain: (error) => explainWrite(client, temporary ?? path, this.#what, error),
      // Requests for one file are done in the order in which they were sent (draft, section 2).
      ...(whole
        ? { onSent: (bytes: number) => void (bytes === entry.size && this.#sealNow(handle, exactly(entry), true)) }
        : {}),
    });
    if (leave) writer.once('close', leave);
    if (fromStart) {
      this.#acknowledged = 0;
      writer.on('held', (bytes: number) => {
        this.#acknowledged += bytes;
      });
    }
    return writer;
  }

  async digest(algorithm: DigestAlgorithm, scope: Scope): Promise<Digest> {
    const { client, temporary, path, entry, farDigest } = this.#options;
    if (temporary === undefined) await this.#shorten(scope);
    if ((entry.size ?? 0) >= WORTH_A_PROGRAM_BYTES) {
      const hex = await farDigest(temporary ?? path, algorithm, scope);
      if (hex !== undefined) return { hex, readBack: false };
    }
    const handle = await client.open(temporary ?? path, OPEN.READ, {}, scope);
    const release = () => void client.close(handle).catch(() => undefined);
    const range = { start: 0 };
    const reader = new RangeReader({ client, handle, range, what: this.#what, signal: scope.signal, release });
    return { hex: await streamDigest(reader, algorithm, scope), readBack: true };
  }

  /** Takes the end of a longer file away that was there, and is written in place. */
  async #shorten(scope: Scope): Promise<void> {
    const { client, entry, sized = true } = this.#options;
    const size = entry.size ?? this.#acknowledged;
    if (sized) await client.fsetstat(await this.#opened(scope), { size }, this.#what, scope);
  }

  async commit(entry: Entry, scope: Scope): Promise<void> {
    const { client, path, temporary, sized = true } = this.#options;
    const attributes = attributesOf(entry);
    const closing = this.#closeOthers();
    closing.catch(() => undefined);
    if (!this.#seal) this.#sealNow(await this.#opened(scope), entry, false);
    await closing;
    const seal = await abortable(this.#seal as Promise<Seal>, scope);
    const size = seal.size ?? this.#acknowledged;
    if (sized && entry.size !== undefined && size !== entry.size) {
      throw new XferError('TRUNCATED', `${this.#what}: ${size} of ${entry.size} bytes arrived`);
    }
    if (!sameAttributes(attributes, seal.attributes)) await client.setstat(temporary ?? path, attributes, scope);
    else if (seal.attributesError) noticeAttributes(seal.attributesError, path, this.#options.onNotice);
    if (!temporary) return;
    await renameOver(client, temporary, path, scope);
    if (entry.mode === undefined) await this.#takeFromOwner(scope);
  }

  /** A draft that is left is to be gone on with; under its final name a new file is open to its owner as its source is. */
  async #takeFromOwner(scope: Scope): Promise<void> {
    const { client, entry, isNew, path, onNotice } = this.#options;
    const added = 0o600 & ~(entry.mode ?? 0o600);
    if (!isNew || added === 0) return;
    const { permissions = 0 } = (await client.find('lstat', path, scope)) ?? {};
    if ((permissions & added) === 0) return;
    await client
      .setstat(path, { permissions: permissions & 0o777 & ~added }, scope)
      .catch((error: unknown) => noticeAttributes(error, path, onNotice));
  }

  async suspend(): Promise<void> {
    if (this.#options.entry.version === undefined) return this.discard();
    await this.#closeHandle();
  }

  async discard(): Promise<void> {
    const { client, temporary } = this.#options;
    await this.#closeHandle();
    if (!temporary || client.channel.ended) return;
    await client.remove(temporary).catch((error: unknown) => {
      if (!(error instanceof XferError && error.code === 'NOT_FOUND')) throw error;
    });
  }

  /** Where the next bytes of a file go: parts of a large one over whichever session has the least to do. */
  async #place(start: number, scope: Scope): Promise<Place> {
    const { client, entry, lane } = this.#options;
    const { size = 0 } = entry;
    if (size <= LARGE_BYTES || client.channel.ended) return { client, handle: await this.#opened(scope) };
    const chosen = await lane(size - start, scope);
    try {
      return { ...chosen, handle: await this.#openedOn(chosen.client, scope) };
    } catch (error) {
      chosen.leave();
      throw error;
    }
  }

  #openedOn(session: SftpClient, scope: Scope): Promise<Buffer> {
    const { client, path, temporary } = this.#options;
    if (session === client) return this.#opened(scope);
    const opening = this.#others.get(session) ?? session.open(temporary ?? path, OPEN.WRITE, {}, scope);
    this.#others.set(session, opening);
    opening.catch(() => this.#others.delete(session));
    return opening;
  }

  async #closeOthers(): Promise<void> {
    const others = [...this.#others];
    this.#others.clear();
    await Promise.all(others.map(async ([client, handle]) => client.close(await handle)));
  }

  /** The handle, opened again where it was closed too early, and then the size is asked for again. */
  #opened(scope: Scope): Promise<Buffer> {
    const { client, path, temporary } = this.#options;
    this.#handle ??= client.open(temporary ?? path, OPEN.WRITE, {}, scope);
    this.#seal = undefined;
    return this.#handle;
  }

  #sealNow(handle: Buffer, entry: Entry, counted: boolean): void {
    this.#handle = undefined;
    this.#seal = this.#sealed(handle, entry, counted);
    this.#seal.catch(() => undefined);
  }

  /** All asked in one turn: one round trip. `counted`: the acknowledged WRITEs tell the size of what was a new file. */
  async #sealed(handle: Buffer, entry: Entry, counted: boolean): Promise<Seal> {
    const { client, temporary, sized = true } = this.#options;
    const what = this.#what;
    const attributes = attributesOf(entry);
    const shortened = sized && temporary === undefined && entry.size !== undefined ? { size: entry.size } : {};
    const wanted = { ...shortened, ...attributes };
    const setting = Object.keys(wanted).length > 0 ? client.fsetstat(handle, wanted, what) : Promise.resolve();
    const setError = setting.then(
      () => undefined,
      (error: unknown) => error,
    );
    const reading = counted ? undefined : client.fstat(handle, what);
    const large = (entry.size ?? FSYNC_BYTES) >= FSYNC_BYTES;
    const durable = sized && large && client.extensions.has('fsync@openssh.com');
    const syncing = durable ? client.fsync(handle, what) : Promise.resolve();
    const closing = client.close(handle);
    const results = await Promise.allSettled([reading, syncing, closing]);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    return { size: (await reading)?.size, attributes, attributesError: await setError };
  }

  async #closeHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await this.#closeOthers().catch(() => undefined);
    await this.#seal?.catch(() => undefined);
    if (handle) await handle.then((open) => this.#options.client.close(open)).catch(() => undefined);
  }
}

/** What `commit` will ask for: without a time, the mode was only that of a new file. */
function exactly(entry: Entry): Entry {
  if (entry.mtimeMs !== undefined) return entry;
  const { mode: _, ...rest } = entry;
  return rest;
}

function sameAttributes(one: Attributes, other: Attributes): boolean {
  return one.permissions === other.permissions && one.times?.mtime === other.times?.mtime;
}
