/** What the listener has done, counted for Prometheus. No path is a label, so that nobody can make the set grow. */
import type { AccessRecord } from '../log/access-log.js';
import { type Family, formatFamilies, Histogram, type Sample } from './exposition.js';
import { processFamilies } from './process-families.js';
import type { Transfers } from './transfers.js';

const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'],
  ...['PROPFIND', 'PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK'],
]);

/** From a small file near by to a large one far away. */
const DURATION_BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

export class Metrics {
  readonly #requests = new Map<string, { readonly method: string; readonly code: string; count: number }>();
  readonly #duration = new Histogram(DURATION_BOUNDS_SECONDS);
  #aborted = 0;
  #bytes = 0;
  #received = 0;

  readonly count = ({ method, status, bytes, received = 0, durationMs, aborted }: AccessRecord): void => {
    const labels = { method: METHODS.has(method) ? method : 'OTHER', code: String(status) };
    const key = `${labels.method} ${labels.code}`;
    const row = this.#requests.get(key) ?? { ...labels, count: 0 };
    row.count += 1;
    this.#requests.set(key, row);
    this.#duration.observe(durationMs / 1000);
    this.#bytes += bytes;
    this.#received += received;
    if (aborted) this.#aborted += 1;
  };

  /** As text; `transfers` are those under way, the one that asks for this among them. */
  format(transfers: Transfers): string {
    return formatFamilies([...this.#families(transfers), ...processFamilies()]);
  }

  #families(transfers: Transfers): Family[] {
    const requests: Sample[] = [...this.#requests.values()].map(({ method, code, count }) => ({
      labels: { method, code },
      value: count,
    }));
    const bytes = this.#bytes + transfers.bytes;
    return [
      family('requests_total', 'counter', 'Requests whose response has ended, by method and status code.', requests),
      family('requests_aborted_total', 'counter', 'Requests whose connection ended before their response did.', [
        { value: this.#aborted },
      ]),
      family('response_bytes_total', 'counter', 'Bytes of response bodies that were handed to connections.', [
        { value: bytes },
      ]),
      family('request_bytes_total', 'counter', 'Bytes of request bodies that were taken in.', [
        { value: this.#received + transfers.received },
      ]),
      family(
        'transfers_in_progress',
        'gauge',
        'Requests that are being answered, without the one that asks for this.',
        [{ value: transfers.size - 1 }],
      ),
      family(
        'request_duration_seconds',
        'histogram',
        'Time from the head of a request to the end of its response in seconds.',
        this.#duration.samples(),
      ),
    ];
  }
}

function family(name: string, type: Family['type'], help: string, samples: readonly Sample[]): Family {
  return { name: `xfer_http_${name}`, type, help, samples };
}
