/** One file on its way to the listener: by tus, so that it goes on after a pause, a lost line or a reload. */
import { forget, keyOf, recall, remember } from './remembered.js';
import { type Answer, send } from './send.js';

/** A smaller file is sent in one request: it is sooner sent again than asked after. */
const SMALL_BYTES = 1 << 20;

/** Some proxies let no larger body through. */
const PART_BYTES = 64 << 20;

const MOST_WAIT_MS = 30_000;

export type State = 'waiting' | 'sending' | 'lost' | 'paused' | 'done' | 'failed' | 'cancelled';

/** What may come of the same request a little later. */
const SOON: ReadonlySet<number> = new Set([0, 408, 423, 429, 500, 502, 503, 504]);

const TUS = { 'Tus-Resumable': '1.0.0' };

export class Transfer {
  readonly file: File;
  /** Its place, relative to the page, percent-encoded. */
  readonly target: string;
  state: State = 'waiting';
  /** Bytes that the listener has, or that are on their way. */
  sent = 0;
  /** Why it failed, or what it waits for. */
  reason = '';
  readonly #key: string;
  readonly #onChange: () => void;
  #stop = new AbortController();
  #url: string | undefined;

  constructor(file: File, target: string, onChange: () => void) {
    this.file = file;
    this.target = target;
    this.#key = keyOf(new URL(target, location.href).pathname, file);
    this.#onChange = onChange;
  }

  get name(): string {
    return this.file.name;
  }

  /** Resolves when it is done, was stopped, or failed: `state` says which. */
  async run(): Promise<void> {
    this.#stop = new AbortController();
    this.#set('sending');
    for (let tries = 0; ; tries += 1) {
      const before = this.sent;
      const answer = await (this.file.size <= SMALL_BYTES ? this.#sendWhole() : this.#sendParts());
      if (this.#stop.signal.aborted) return;
      if (!answer) return this.#finish();
      if (!SOON.has(answer.status)) return this.#fail(answer);
      if (this.sent > before) tries = 0;
      await this.#waitForLine(Math.min(MOST_WAIT_MS, 500 * 2 ** tries));
      if (this.#stop.signal.aborted) return;
    }
  }

  /** Undefined where all is there; else what stands in the way. */
  async #sendWhole(): Promise<Answer | undefined> {
    const { signal } = this.#stop;
    const fields = { 'Content-Type': 'application/octet-stream', 'X-OC-Mtime': String(this.file.lastModified / 1000) };
    const onProgress = (bytes: number): void => void this.#tell(bytes);
    const answer = await send({ method: 'PUT', url: this.target, fields, body: this.file, signal, onProgress });
    return answer.status === 201 || answer.status === 204 ? undefined : answer;
  }

  async #sendParts(): Promise<Answer | undefined> {
    const { signal } = this.#stop;
    const { size } = this.file;
    const begun = await this.#begin();
    if (typeof begun !== 'number') return begun;
    for (let offset = begun; offset < size; ) {
      const body = this.file.slice(offset, offset + PART_BYTES);
      const fields = { ...TUS, 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' };
      const onProgress = (bytes: number): void => void this.#tell(offset + bytes);
      const answer = await send({ method: 'PATCH', url: this.#url as string, fields, body, signal, onProgress });
      if (answer.status !== 204) return answer;
      offset = Number(answer.field('Upload-Offset'));
      this.#tell(offset);
    }
    return undefined;
  }

  /** How much is there already, where it is remembered; else it is begun. */
  async #begin(): Promise<number | Answer> {
    const { signal } = this.#stop;
    this.#url ??= recall(this.#key)?.url;
    if (this.#url !== undefined) {
      const answer = await send({ method: 'HEAD', url: this.#url, fields: TUS, signal });
      if (answer.status === 200) return this.#tell(Number(answer.field('Upload-Offset')));
      if (answer.status !== 404) return answer;
      forget(this.#key);
      this.#url = undefined;
    }
    const metadata = [`filename ${base64(this.name)}`, `mtime ${base64(String(this.file.lastModified))}`];
    const fields = { ...TUS, 'Upload-Length': String(this.file.size), 'Upload-Metadata': metadata.join(',') };
    const url = new URL('.', new URL(this.target, location.href)).href;
    const answer = await send({ method: 'POST', url, fields, signal });
    if (answer.status !== 201) return answer;
    this.#url = new URL(answer.field('Location') ?? '', url).href;
    remember({ key: this.#key, url: this.#url, name: this.name, atMs: Date.now() });
    return this.#tell(0);
  }

  /** Until the time is over, or the browser says that the line is there again. */
  async #waitForLine(ms: number): Promise<void> {
    this.#set('lost', 'The line was lost; trying again');
    const { signal } = this.#stop;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      for (const target of [window, signal]) {
        target.addEventListener(
          target === window ? 'online' : 'abort',
          () => {
            clearTimeout(timer);
            resolve();
          },
          { once: true },
        );
      }
    });
    if (!signal.aborted) this.#set('sending');
  }

  pause(): void {
    this.#set('paused');
    this.#stop.abort();
  }

  /** Stops, and has the listener remove what it has. */
  cancel(): void {
    this.#set('cancelled');
    this.#stop.abort();
    forget(this.#key);
    const { signal } = new AbortController();
    if (this.#url !== undefined) void send({ method: 'DELETE', url: this.#url, fields: TUS, signal });
  }

  #finish(): void {
    forget(this.#key);
    this.sent = this.file.size;
    this.#set('done');
  }

  #fail({ status, reason }: Answer): void {
    if (status !== 401) forget(this.#key);
    this.#set('failed', reason || (status === 401 ? 'A login is needed' : `The answer was ${status}`));
  }

  #tell(sent: number): number {
    this.sent = sent;
    this.#onChange();
    return sent;
  }

  #set(state: State, reason = ''): void {
    if (this.state === 'cancelled') return;
    this.state = state;
    this.reason = reason;
    this.#onChange();
  }
}

/** Of the bytes of UTF-8. */
function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
