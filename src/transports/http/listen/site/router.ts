/** What the rules of a site say of a path: decided by serve-handler, which opens, reads and sends nothing here. */
import type { Options } from 'serve-handler';
import { isText, joinPath } from '../../../../names.js';
import { NO_FIELDS, type OwnFields } from '../file/own-fields.js';
import { Lookup, listingHooks, Recorder, ROOT, type SiteFiles } from './lookup.js';
import { checkPrice, checkSegments, safeDestination, safeSource } from './patterns.js';
import type { RedirectRule, SiteRules } from './rules.js';

export type Decision =
  | { readonly kind: 'file'; readonly path: string; readonly fields: OwnFields }
  | { readonly kind: 'listing'; readonly path: string }
  | { readonly kind: 'redirect'; readonly location: string; readonly rule?: RedirectRule }
  | { readonly kind: 'missing' };

type Route = typeof import('serve-handler').default;

const INDEX = 'index.html';

/** A value of a header rule, in a form that shows later which fields the rules have set. */
class Said {
  constructor(readonly value: string | null) {}
}

export class SiteRouter {
  readonly #rules: SiteRules;
  readonly #route: Route;
  readonly #options: Options;

  private constructor(rules: SiteRules, route: Route) {
    this.#rules = rules;
    this.#route = route;
    this.#options = {
      ...rules,
      public: ROOT,
      // The package asks for `unlisted` for each name; `listed` does so once for a listing.
      unlisted: [],
      rewrites: rules.rewrites.map((rule) => ({ ...rule, source: safeSource(rule.source) })),
      redirects: rules.redirects.map((rule) => ({
        source: safeSource(rule.source),
        destination: safeDestination(rule.destination),
        type: rule,
      })),
      headers: rules.headers.map(({ source, headers }) => ({
        source,
        headers: headers.map(({ key, value }) => ({ key: key.toLowerCase(), value: new Said(value) })),
      })),
    };
  }

  /** USAGE, naming the key in the file `name`, where a rule cannot work or can be kept busy. */
  static async create(rules: SiteRules, name: string): Promise<SiteRouter> {
    const { default: route } = await import('serve-handler');
    const router = new SiteRouter(rules, route);
    await router.#check(name);
    return router;
  }

  async #check(name: string): Promise<void> {
    const { rewrites, redirects, headers, cleanUrls, directoryListing, unlisted } = this.#rules;
    for (const [key, rules] of Object.entries({ rewrites, redirects })) {
      for (const [index, { source, destination }] of rules.entries()) {
        const where = `${name}: ${key}[${index}]`;
        checkSegments(source, destination, `${where}.destination`);
        const one = [{ source: safeSource(source), destination: '/', type: undefined }];
        await checkPrice(source, `${where}.source`, (path) => this.#try(path, { redirects: one }));
      }
    }
    const globs = { cleanUrls, directoryListing, unlisted, headers: headers.map(({ source }) => source) };
    for (const [key, patterns] of Object.entries(globs)) {
      if (typeof patterns === 'boolean') continue;
      for (const [index, pattern] of patterns.entries()) {
        await checkPrice(pattern, `${name}: ${key}[${index}]`, (path) => this.#try(path, { cleanUrls: [pattern] }));
      }
    }
  }

  #try(path: string, options: Partial<Options>): Promise<Asked> {
    const nothing: SiteFiles = { stat: async () => undefined, onlyName: async () => undefined };
    return this.#ask(path.slice(1), { public: ROOT, cleanUrls: false, ...options }, nothing);
  }

  /** What `path`, with a `/` after it where the request had one, is answered with. Rejects as `files` does. */
  async decide(path: string, directory: boolean, files: SiteFiles): Promise<Decision> {
    const asked = path + (directory && path !== '' ? '/' : '');
    const options = this.#canRedirect(asked) ? this.#options : this.#withoutRedirects(asked);
    const decision = this.#read(await this.#ask(asked, options, files));
    if (decision.kind === 'redirect' || decision.kind === 'file') return decision;
    // Without cleanUrls the package lists a directory in place of showing its index.
    const at = decision.kind === 'listing' ? decision.path : path;
    const index = joinPath(at, INDEX);
    if ((await files.stat(index))?.kind === 'file') return this.file(index, files);
    if (decision.kind === 'missing' || !this.#rules.renderSingle) return decision;
    // The package forgets `directoryListing` where `renderSingle` is on.
    return this.#read(await this.#ask(asked, { ...options, renderSingle: false }, files));
  }

  /** A file by its own path, past every rule but those of its fields. */
  async file(path: string, files: SiteFiles): Promise<Decision> {
    const { headers = [] } = this.#options;
    return this.#read(await this.#ask(path, { public: ROOT, cleanUrls: false, headers }, files));
  }

  /** Those of the names in a directory that the rules let be listed. */
  async listed(names: readonly string[]): Promise<ReadonlySet<string>> {
    const { unlisted } = this.#rules;
    if (unlisted.length === 0) return new Set(names);
    // A name that is not text goes by what is left of it.
    const texts = names.map((name) => name.toWellFormed());
    const response = new Recorder();
    const hooks = listingHooks([...new Set(texts)]);
    const request = { url: '/', headers: { accept: 'application/json' } };
    await this.#route(request, response, { public: ROOT, cleanUrls: false, unlisted }, hooks);
    const { files = [] } = JSON.parse(response.body ?? '{}') as { files?: readonly { readonly base: string }[] };
    const shown = new Set(files.map(({ base }) => base));
    return new Set(names.filter((_, index) => shown.has(texts[index] as string)));
  }

  /** A Location of the package holds neither bytes that are not UTF-8 nor, as what they are, these two. */
  #canRedirect(path: string): boolean {
    return isText(path) && !/[?#]/.test(path);
  }

  #withoutRedirects(path: string): Options {
    const { trailingSlash: _, cleanUrls = true, ...rest } = this.#options;
    return { ...rest, redirects: [], cleanUrls: /(?:\.html|\/index)$/.test(path) ? false : cleanUrls };
  }

  async #ask(path: string, options: Options, files: SiteFiles): Promise<Asked> {
    const response = new Recorder();
    const text = path.toWellFormed();
    const lookup = new Lookup(files, { asked: text.replace(/\/$/, ''), meant: path.replace(/\/$/, '') });
    const url = `/${text.split('/').map(encodeURIComponent).join('/')}`;
    await this.#route({ url, headers: {} }, response, options, lookup.hooks());
    if (lookup.fault) throw lookup.fault;
    return { response, lookup };
  }

  #read({ response, lookup }: Asked): Decision {
    const { status, fields, body } = response;
    const { opened, listed } = lookup;
    if (opened !== undefined) return { kind: 'file', path: opened, fields: ownFields(fields) };
    if (fields.Location !== undefined) {
      const rule = this.#rules.redirects.find((each) => each === status);
      return { kind: 'redirect', location: String(fields.Location), ...(rule ? { rule } : {}) };
    }
    return listed !== undefined && body !== undefined ? { kind: 'listing', path: listed } : { kind: 'missing' };
  }
}

interface Asked {
  readonly response: Recorder;
  readonly lookup: Lookup;
}

function ownFields(fields: Readonly<Record<string, unknown>>): OwnFields {
  const said = Object.entries(fields).flatMap(([key, value]): [string, string | null][] =>
    value instanceof Said ? [[key, value.value]] : [],
  );
  return said.length === 0 ? NO_FIELDS : new Map(said);
}
