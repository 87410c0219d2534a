/** `--announce`: lets the other end find this one. */
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { toXferError } from '../../../errors.js';
import { isLoopbackUrl, listenerUrls } from '../../../listening/listener-urls.js';
import type { Announcement } from '../../../mdns/announce.js';
import type { TcpAddress } from '../../../transports/tcp/options.js';
import type { Report } from '../../render/report.js';
import type { Surroundings } from '../../surroundings.js';

/** From when it listens until it is done. */
export class Announcing {
  readonly #around: Surroundings;
  readonly #report: Report;
  #announcement: Promise<Announcement | undefined> = Promise.resolve(undefined);

  constructor(around: Surroundings, report: Report) {
    this.#around = around;
    this.#report = report;
  }

  /** Tells the network where this end listens, and nothing else: its names are random. What fails is a notice. */
  start(bound: TcpAddress): void {
    this.#announcement = this.#announce(bound).catch((error: unknown) => {
      this.#report.onNotice(`not announced by mDNS: ${toXferError(error, 'announce').message}`);
      return undefined;
    });
  }

  /** Takes it back. */
  async end(): Promise<void> {
    await (await this.#announcement)?.end();
  }

  async #announce(bound: TcpAddress): Promise<Announcement | undefined> {
    const { mdns = {} } = this.#around;
    const urls = listenerUrls('tcp', [bound]).filter((url) => mdns.interface !== undefined || !isLoopbackUrl(url));
    const addresses = urls
      .map((url) => new URL(url).hostname.replace(/^\[|\]$/g, ''))
      .filter((host) => isIP(host) !== 0);
    if (addresses.length === 0) {
      this.#report.onNotice('not announced by mDNS: no other machine can reach this address');
      return undefined;
    }
    const { announce } = await import('../../../mdns/announce.js');
    const name = randomBytes(8).toString('hex');
    return announce({ protocol: 'xfer', port: bound.port, addresses }, { ...mdns, name, host: name });
  }
}
