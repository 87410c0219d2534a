/** Files that go to an HTTP server: by PUT, or by what lets them go on after a break where the server has it. */
import { throwIfAborted, XferError } from '../../../errors.js';
import { lastPart } from '../../../names.js';
import type { Draft, Entry, Scope, Sink, SinkCapabilities } from '../../../transport.js';
import { describeUrl } from '../client/describe-url.js';
import type { HttpClient } from '../client/request.js';
import { folderOf, rootName, urlBelow } from './address.js';
import type { Answered } from './body-request.js';
import { Comparison } from './comparison.js';
import { Doubts } from './doubts.js';
import { DraftProtocol } from './draft-protocol.js';
import { askFeatures, type Features } from './features.js';
import { corruptThere, hexOf, lookAt, propertiesOf, statedThere } from './look.js';
import { firstFields, isSuccess, type Proof, type ResumableProtocol, type Target } from './protocol.js';
import { EXPECT_BYTES, PutClient } from './put-client.js';
import { type FaultTerms, putFault } from './put-fault.js';
import { ResumableDraft } from './resumable-draft.js';
import { ShortDraft } from './short-draft.js';
import { TusProtocol } from './tus-protocol.js';
import { UploadNotes } from './upload-notes.js';
import { WholeDraft } from './whole-draft.js';

/** Connections on which small files wait for their answers at once; a server of xfer takes 64 bodies from all together. */
const FILES_IN_FLIGHT = 32;

export interface SinkTerms {
  /** What has a name already is replaced. */
  readonly replace: boolean;
  /** Most bytes of one request, for proxies that take no more. */
  readonly chunkBytes?: number | undefined;
  /** Where what is to be known of broken-off uploads is kept; not beyond this process where absent, or not to be written. */
  readonly notesDirectory?: string | undefined;
}

/** Rejects as the connection does, and with DENIED where a login is wanted. */
export async function openHttpSink(http: HttpClient, url: URL, scope: Scope, terms: SinkTerms): Promise<Sink> {
  const client = new PutClient(http, url);
  return new HttpSink(client, url, await askFeatures(client, url, scope), terms);
}

class HttpSink implements Sink {
  readonly label: string;
  readonly identity: string;
  readonly parallelism = { filesInFlight: FILES_IN_FLIGHT, lanes: 1 };
  readonly #client: PutClient;
  readonly #base: URL;
  readonly #terms: SinkTerms;
  readonly #notes: UploadNotes;
  #features: Features;
  readonly #doubts = new Doubts();

  constructor(client: PutClient, base: URL, features: Features, terms: SinkTerms) {
    this.#client = client;
    this.#base = base;
    this.#features = features;
    this.#terms = terms;
    this.#notes = new UploadNotes(terms.notesDirectory);
    this.label = describeUrl(base);
    this.identity = base.href;
  }

  get capabilities(): SinkCapabilities {
    const goesOn = this.#features.draft || this.#features.tus !== undefined;
    return { offsets: false, atomic: this.#features.draft, resume: goesOn, parallel: true, metadata: false };
  }

  async stat(path: string, scope: Scope): Promise<Entry | undefined> {
    throwIfAborted(scope.signal);
    const isFolder = path === '' && (this.#base.pathname.endsWith('/') || this.#features.tusOnly);
    if (isFolder) return { path, kind: 'directory' };
    const found = await lookAt(this.#client, urlBelow(this.#base, path), path, this.#features.dav, scope);
    return found === 'unknown' ? undefined : found;
  }

  async create(entry: Entry, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    const url = urlBelow(this.#base, entry.path, true);
    const what = `make ${describeUrl(url)}`;
    if (entry.kind !== 'directory') throw new XferError('UNSUPPORTED', `${what}: a server of HTTP takes no links`);
    if (this.#features.tusOnly) {
      throw new XferError('UNSUPPORTED', `${what}: the server takes files and has no folders`, {
        hint: 'put the files one by one, or pack them: tar c folder | xfer put - url',
      });
    }
    const answered = await this.#client.send('MKCOL', url, { verb: 'make' }, scope);
    if (isSuccess(answered)) return;
    // 405: something has the name (RFC 4918, 9.3.1), or the server knows no folders, which come to be with their files.
    if (answered.status !== 405 && answered.status !== 501) throw putFault(answered, { what });
    const there = await lookAt(this.#client, urlBelow(this.#base, entry.path), entry.path, this.#features.dav, scope);
    if (there === undefined || there === 'unknown' || there.kind === 'directory') return;
    throw new XferError('EXISTS', `${what}: a file has that name`);
  }

  async draft(entry: Entry, scope: Scope): Promise<Draft> {
    throwIfAborted(scope.signal);
    const target = this.#targetOf(entry, scope);
    this.#checkSize(target);
    const protocol = this.#protocolFor(entry);
    if (!protocol) return this.#unresumable(target);
    return this.#resumable(entry, target, protocol, scope);
  }

  async put(entry: Entry, bytes: Buffer, exact: boolean, scope: Scope): Promise<undefined> {
    throwIfAborted(scope.signal);
    const { mtimeMs, ...rest } = entry;
    const target = this.#targetOf(exact && mtimeMs !== undefined ? { ...rest, mtimeMs } : rest, scope);
    this.#checkSize(target);
    const tus = this.#features.tusOnly ? this.#tus() : undefined;
    if (tus) {
      await tus.complete(target, undefined, 0, bytes, undefined, scope);
      return;
    }
    await this.#send(target, bytes, scope);
  }

  /** Puts a short file there. Whether this run sent it: what was there before need not be ours. */
  async #send(target: Target, bytes: Buffer, scope: Scope): Promise<boolean> {
    const proof: Proof = { algorithm: 'sha256', hex: hexOf(bytes, 'sha256') };
    const wasInDoubt = this.#doubts.about(target.url);
    try {
      await target.guard(scope);
      const terms = { fields: firstFields(target, proof), body: bytes };
      const answered = await this.#doubts.until(target.url, () => this.#client.send('PUT', target.url, terms, scope));
      if (!isSuccess(answered)) throw await target.fault(answered, { withDigest: true });
      return true;
    } catch (refusal) {
      // An answer was lost, or an earlier run brought it.
      const there = await Comparison.after(refusal, target, this.#client, scope, wasInDoubt);
      there.endWith(proof.hex);
      return wasInDoubt;
    }
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  #checkSize({ size, url }: Target): void {
    const { mostFileBytes: most } = this.#features;
    if (most === undefined || size === undefined || size <= most) return;
    throw new XferError('NO_SPACE', `put ${describeUrl(url)}: it has ${size} bytes, and the server takes ${most}`);
  }

  /** What a file goes on by after a break; undefined where it is to go in one request, or can in no other way. */
  #protocolFor({ version, size = Number.POSITIVE_INFINITY, path }: Entry): ResumableProtocol | undefined {
    const { draft, tus, tusOnly } = this.#features;
    const { chunkBytes = Number.POSITIVE_INFINITY } = this.#terms;
    const wanted = version !== undefined || tusOnly || size > chunkBytes;
    if (wanted && draft) return new DraftProtocol(this.#client);
    if (wanted && tus) return new TusProtocol(this.#client, tus);
    if (size > chunkBytes && Number.isFinite(chunkBytes)) {
      throw new XferError(
        'UNSUPPORTED',
        `put ${describeUrl(urlBelow(this.#base, path))}: the server takes no file in pieces`,
        {
          hint: 'leave out --chunk',
        },
      );
    }
    return undefined;
  }

  #tus(): TusProtocol | undefined {
    const { tus } = this.#features;
    return tus && new TusProtocol(this.#client, tus);
  }

  #unresumable(target: Target): Draft {
    const prove = this.#proverOf(target);
    const measure = (size: number, scope: Scope) => this.#measure(target.url, size, scope);
    if (target.size !== undefined && target.size <= EXPECT_BYTES) {
      return new ShortDraft({ target, prove, measure, send: (bytes, scope) => this.#send(target, bytes, scope) });
    }
    const onPlace = (): void => this.#learnDraft();
    return new WholeDraft({ client: this.#client, target, onPlace, prove, measure, doubts: this.#doubts });
  }

  #learnDraft(): void {
    if (!this.#features.draft) this.#features = { ...this.#features, draft: true };
  }

  async #resumable(entry: Entry, target: Target, protocol: ResumableProtocol, scope: Scope): Promise<Draft> {
    const { mostPartBytes = Number.POSITIVE_INFINITY } = this.#features;
    const partBytes = Math.min(this.#terms.chunkBytes ?? Number.POSITIVE_INFINITY, mostPartBytes);
    const lasting = entry.version !== undefined;
    const key = `${target.url.href}\0${entry.version}\0${entry.size}`;
    const common = {
      client: this.#client,
      target,
      protocol,
      notes: this.#notes,
      key,
      lasting,
      partBytes,
      prove: this.#proverOf(target),
    };
    const note = lasting ? await this.#notes.find(key) : undefined;
    const left = note?.place.origin === target.url.origin && note.protocol === protocol.name ? note : undefined;
    const held = left && (await protocol.ask(target, left.place, scope));
    if (left && held) {
      if (held.offset <= Math.min(left.mostSentBytes, entry.size ?? left.mostSentBytes)) {
        return new ResumableDraft({ ...common, place: left.place, ...held });
      }
      await this.#notes.forget(key);
      throw new XferError(
        'PROTOCOL',
        `put ${describeUrl(target.url)}: the server says that it holds ${held.offset} bytes, which were never sent`,
        { hint: 'run the command again, which begins anew' },
      );
    }
    if (note) await this.#notes.forget(key);
    return new ResumableDraft({ ...common, place: undefined, offset: 0, done: false });
  }

  /** After the file has its name: as the far side states it, or else of what is read back from there. */
  #proverOf({ url }: Target) {
    return async ({ algorithm, hex }: Proof, scope: Scope): Promise<void> => {
      if (this.#features.provesDigests && this.#features.draft) return;
      const found =
        (await statedThere(this.#client, url, algorithm, scope))?.hex ??
        (await this.#client.readDigest(url, algorithm, scope));
      if (found === hex) return;
      await this.#client.send('DELETE', url, {}, scope).catch(() => undefined);
      throw corruptThere(url, found, hex);
    };
  }

  /** Servers of WebDAV alone say what they hold, and not what somebody makes of it (RFC 4918, 9.1): one round trip. */
  async #measure(url: URL, size: number, scope: Scope): Promise<void> {
    const { dav, draft } = this.#features;
    if (!dav || draft) return;
    const there = await propertiesOf(this.#client, url, '', scope).catch(() => throwIfAborted(scope.signal));
    if (!there || there === 'unknown' || there.kind !== 'file' || (there.size ?? size) === size) return;
    // Another writer may have put it there meanwhile, so that it is left.
    throw new XferError('CORRUPT', `verify ${describeUrl(url)}: ${there.size} bytes are there, and ${size} were sent`, {
      hint: 'the server said that it has it all: see whether its disk is full, and run the command again',
    });
  }

  #targetOf(entry: Entry, scope: Scope): Target {
    const url = urlBelow(this.#base, entry.path);
    const { tusOnly } = this.#features;
    return {
      url,
      folder: tusOnly ? this.#base : folderOf(this.#base, entry.path),
      name: lastPart(entry.path) || rootName(this.#base) || entry.name || 'upload',
      size: entry.size,
      mtimeMs: entry.mtimeMs,
      replace: this.#terms.replace,
      guard: (scoped) => this.#guard(url, scoped),
      fault: (answered, terms) => this.#faultOf(answered, entry.path, scope, terms),
    };
  }

  /** Many servers replace what is there whatever If-None-Match says. */
  async #guard(url: URL, scope: Scope): Promise<void> {
    if (this.#terms.replace || this.#features.draft) return;
    const there = await lookAt(this.#client, url, '', this.#features.dav, scope);
    if (there === undefined || there === 'unknown') return;
    throw new XferError('EXISTS', `put ${describeUrl(url)}: something has that name already`, {
      hint: 'add --overwrite to replace it, or put it under another name',
    });
  }

  /** 409 says that the folder is missing, or that something else is in the way (RFC 4918, 9.7.1): a look tells which. */
  async #faultOf(answered: Answered, path: string, scope: Scope, terms: FaultTerms = {}): Promise<XferError> {
    const fault = putFault(answered, terms);
    if (answered.status !== 409 || fault.code !== 'NOT_FOUND') return fault;
    const there = await lookAt(this.#client, urlBelow(this.#base, path), path, this.#features.dav, scope).catch(
      () => undefined,
    );
    if (there === undefined || there === 'unknown') return fault;
    const { message } = fault;
    if (there.kind === 'directory') return new XferError('EXISTS', `${message} (a folder has that name)`);
    return new XferError('EXISTS', message, {
      hint: 'put it under another name, or ask for a server with --overwrite',
    });
  }
}
