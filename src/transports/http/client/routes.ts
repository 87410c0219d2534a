/** How a request gets to where it goes: over which connections, by which proxy. */
import type { Agent } from 'node:http';
import type { Pin } from '../pins.js';
import type { Fields } from './fields.js';
import { type HttpProxy, type ProxySettings, proxyFor } from './proxies.js';
import { SecureAgent } from './secure-agent.js';
import { TappedAgent } from './tapped-socket.js';

export interface RouteTerms {
  /** What the origin that was named is known by, in place of authorities; any of them will do. */
  readonly pins?: readonly Pin[];
  /** Certificates of all authorities that are trusted, in PEM; Node's own where absent. */
  readonly authorities?: readonly string[];
  readonly proxies?: ProxySettings;
  readonly connectTimeoutMs: number;
}

export interface Route {
  /** TLS is spoken on the connection that the agent gives: with the host, or with a proxy that is asked for a plain URL. */
  readonly secure: boolean;
  readonly agent: Agent;
  /** What differs from a request that goes straight to the URL. */
  readonly target: { readonly host?: string; readonly port?: number; readonly path?: string };
  readonly fields: Fields;
  readonly proxy: HttpProxy | undefined;
}

/** Keeps connections, until `close`. */
export class Routes {
  readonly #terms: RouteTerms;
  readonly #plain = new TappedAgent({ keepAlive: true });
  readonly #secure = new Map<string, SecureAgent>();

  constructor(terms: RouteTerms) {
    this.#terms = terms;
  }

  /** The route to a URL. `named`: it is at the origin that a person named. UNSUPPORTED, USAGE for a proxy that is none. */
  to(url: URL, named: boolean): Route {
    const proxy = proxyFor(url, this.#terms.proxies ?? {});
    if (url.protocol === 'https:') {
      const agent = this.#secureAgent(named ? (this.#terms.pins ?? []) : [], proxy);
      return { secure: true, agent, target: {}, fields: {}, proxy };
    }
    if (!proxy) return { secure: false, agent: this.#plain, target: {}, fields: {}, proxy };
    return {
      secure: proxy.secure,
      agent: proxy.secure ? this.#secureAgent([], undefined) : this.#plain,
      target: { host: proxy.host, port: proxy.port, path: url.href },
      fields: { host: url.host, ...(proxy.login === undefined ? {} : { 'proxy-authorization': proxy.login }) },
      proxy,
    };
  }

  /** Cuts every connection. */
  close(): void {
    this.#plain.destroy();
    for (const agent of this.#secure.values()) agent.destroy();
  }

  #secureAgent(pins: readonly Pin[], proxy: HttpProxy | undefined): SecureAgent {
    const key = `${pins.length > 0} ${proxy?.label ?? ''}`;
    const { authorities, connectTimeoutMs: timeoutMs } = this.#terms;
    const agent =
      this.#secure.get(key) ??
      new SecureAgent({ pins, authorities, tunnel: proxy && { proxy, timeoutMs, authorities } });
    this.#secure.set(key, agent);
    return agent;
  }
}
