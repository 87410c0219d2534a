/** A shared directory as a web site: its rules decide what a path is, and what is sent is sent as any shared file is. */
import { STATUS_CODES } from 'node:http';
import { Readable } from 'node:stream';
import { joinPath } from '../../../../names.js';
import type { Entry, OpenFile } from '../../../../transport.js';
import { refuseArchive } from '../archive/answer.js';
import { archiveFormat } from '../archive/format.js';
import { type Exchange, sendStream } from '../exchange.js';
import { contentFields, withOwnFields } from '../file/own-fields.js';
import { sendListing } from '../listing/listing.js';
import { itemOf } from '../listing/shape.js';
import { refuse, refuseError, statusOf } from '../refuse.js';
import { redirectToDirectory, sendOpened } from '../shared-path.js';
import type { Sharing } from '../sharing.js';
import { shownEntries } from '../shown.js';
import { isShown, parseTarget, printableQuery, type Target } from '../target.js';
import type { SiteFiles } from './lookup.js';
import { LONGEST_PATH } from './patterns.js';
import type { Decision, SiteRouter } from './router.js';
import type { RedirectRule, SiteRules } from './rules.js';

/** Directory of well-known addresses (RFC 8615): the one name with a dot that a site has to answer for. */
const WELL_KNOWN = '.well-known';

export class Site {
  readonly #rules: SiteRules;
  readonly #router: SiteRouter;
  /** Path of the file below the root that the rules were read from. */
  readonly #rulesPath: string;

  constructor(rules: SiteRules, router: SiteRouter, rulesPath: string) {
    this.#rules = rules;
    this.#router = router;
    this.#rulesPath = rulesPath;
  }

  /** Answers a GET or a HEAD. What fails is answered with the site's own page for it, where it has one. */
  async answer(exchange: Exchange, sharing: Sharing): Promise<void> {
    const { request, response } = exchange;
    try {
      const target = parseTarget(request.url ?? '', { ...sharing, hidden: true });
      if (typeof target === 'number') return await this.#refuse(exchange, sharing, target);
      if (target.path.length >= LONGEST_PATH) return await this.#refuse(exchange, sharing, 414);
      if (!this.#isShown(target.path, sharing)) return await this.#refuse(exchange, sharing, 404);
      await this.#send(exchange, sharing, target, await this.#decide(target, sharing));
    } catch (error) {
      if (response.headersSent || response.destroyed) return refuseError(request, response, error);
      await this.#refuse(exchange, sharing, statusOf(error));
    }
  }

  async #decide(target: Target, sharing: Sharing): Promise<Decision> {
    const files = this.#files(sharing);
    const decision = await this.#router.decide(target.path, target.directory, files);
    if (decision.kind !== 'redirect' || decision.rule || !target.directory || this.#rules.trailingSlash !== false) {
      return decision;
    }
    // A listing stands where its references hold, whatever is said of slashes.
    const bare = await this.#router.decide(target.path, false, files);
    return bare.kind === 'listing' ? bare : decision;
  }

  async #send(exchange: Exchange, sharing: Sharing, target: Target, decision: Decision): Promise<void> {
    const { request, response } = exchange;
    if (decision.kind === 'missing') return this.#refuse(exchange, sharing, 404);
    if (decision.kind === 'redirect') {
      const { location, rule } = decision;
      return refuse(request, response, rule?.type ?? 301, {
        Location: belowPrefix(withQuery(located(location, rule), target.query), sharing),
      });
    }
    const path = joinPath(this.#rules.public, decision.path);
    if (decision.kind === 'file') {
      const file = await sharing.share.open(path, sharing.scope);
      return sendOpened(exchange, sharing, file, { ...target, path: decision.path }, decision.fields);
    }
    if (!target.directory) return redirectToDirectory(exchange, target);
    // It would hold what the rules say is not listed.
    if (archiveFormat(target.query) !== undefined) return refuseArchive(exchange, 'folder');
    const entries: Entry[] = [];
    for await (const entry of shownEntries(sharing, path)) {
      if (response.destroyed) return;
      entries.push(entry);
    }
    const listed = await this.#router.listed(entries.map((entry) => entry.path));
    const shown = entries.filter((entry) => listed.has(entry.path) && joinPath(path, entry.path) !== this.#rulesPath);
    return sendListing(exchange, {
      path: decision.path,
      query: target.query,
      archived: false,
      entries: Readable.from(shown),
      shown: (entry) => itemOf(entry, entry.path),
    });
  }

  /** The page `<status>.html` of the site, or our own words. */
  async #refuse(exchange: Exchange, sharing: Sharing, status: number): Promise<void> {
    const { request, response } = exchange;
    const page = await this.#page(sharing, `${status}.html`).catch(() => undefined);
    if (!page) return refuse(request, response, status);
    const { file, decision } = page;
    try {
      const { size } = file.entry;
      const fields = { 'Cache-Control': 'no-cache', 'X-Content-Type-Options': 'nosniff' };
      response.writeHead(status, STATUS_CODES[status] ?? 'Error', {
        ...withOwnFields(fields, decision.fields),
        ...contentFields(decision.path, decision.fields),
        ...(size === undefined ? {} : { 'Content-Length': size }),
      });
      if (request.method !== 'HEAD' && size !== 0) {
        await sendStream(exchange, file.read({ start: 0, ...(size === undefined ? {} : { end: size }) }));
      }
      response.end();
    } finally {
      await file.close();
    }
  }

  async #page(
    sharing: Sharing,
    name: string,
  ): Promise<{ file: OpenFile; decision: Decision & { kind: 'file' } } | undefined> {
    const decision = await this.#router.file(name, this.#files(sharing));
    if (decision.kind !== 'file') return undefined;
    const file = await sharing.share.open(joinPath(this.#rules.public, name), sharing.scope);
    return { file, decision };
  }

  #files(sharing: Sharing): SiteFiles {
    const { share, scope } = sharing;
    const at = (path: string): string => joinPath(this.#rules.public, path);
    return {
      stat: async (path) => (this.#isShown(path, sharing) ? share.stat(at(path), scope) : undefined),
      onlyName: async (directory) => {
        let only: Entry | undefined;
        for await (const entry of share.list(at(directory), scope)) {
          const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
          if (!this.#isShown(joinPath(directory, name), sharing)) continue;
          if (only) return undefined;
          only = { ...entry, path: name };
        }
        return only?.path;
      },
    };
  }

  /** Whether a path of the site may be answered with what is there. */
  #isShown(path: string, sharing: Sharing): boolean {
    if (joinPath(this.#rules.public, path) === this.#rulesPath) return false;
    const parts = path.split('/');
    return parts.every((part, at) => isShown(part, at === 0, sharing) || (at === 0 && part === WELL_KNOWN));
  }
}

/** The Location of a rule, with its segments escaped once: the package does so twice, and takes `/` for a part of them. */
function located(location: string, rule: RedirectRule | undefined): string {
  if (!rule) return location;
  const once = location.replace(/%25([0-9A-F]{2})/gi, '%$1').replace(/%2F/gi, '/');
  return once.startsWith('/') ? once.replace(/^[/\\]+/, '/') : once;
}

/** A path on this host, below what stands before the share. */
function belowPrefix(location: string, { gate }: Sharing): string {
  return location.startsWith('/') ? gate.prefix.text + location : location;
}

/** A Location with the query of the request added to its own, and before its fragment. */
function withQuery(location: string, query: string): string {
  const asked = printableQuery(query).replace(/#.*$/s, '');
  if (asked.length < 2) return location;
  const [, place, fragment] = /^([^#]*)(#.*)?$/s.exec(location) as unknown as [string, string, string | undefined];
  return `${place}${place.includes('?') ? `&${asked.slice(1)}` : asked}${fragment ?? ''}`;
}
