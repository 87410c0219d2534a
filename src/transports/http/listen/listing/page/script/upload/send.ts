/** Requests of an upload, whose progress is told while they go out. */

export interface Answer {
  /** 0 where none came. */
  readonly status: number;
  /** What the listener says why, without its first line. */
  readonly reason: string;
  field(name: string): string | null;
}

export interface Sending {
  readonly method: string;
  readonly url: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: Blob;
  readonly signal: AbortSignal;
  /** Bytes of the body that went out so far. */
  readonly onProgress?: (bytes: number) => void;
}

/** Never rejects: a line that was lost, and a signal, are an answer with status 0. */
export function send({ method, url, fields = {}, body, signal, onProgress }: Sending): Promise<Answer> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const stop = (): void => request.abort();
    request.open(method, url);
    for (const [name, value] of Object.entries(fields)) request.setRequestHeader(name, value);
    if (onProgress) request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onloadend = () => {
      signal.removeEventListener('abort', stop);
      const [, ...lines] = request.responseText.split('\n');
      const field = (name: string): string | null => request.getResponseHeader(name);
      resolve({ status: request.status, reason: lines.join(' ').trim(), field });
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) request.abort();
    request.send(body ?? null);
  });
}
