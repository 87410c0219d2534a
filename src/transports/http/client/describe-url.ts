/** A URL as text for messages: no login, no query, no fragment. */
export function describeUrl(url: URL): string {
  return `${url.origin}${url.pathname}`.slice(0, 1000);
}
