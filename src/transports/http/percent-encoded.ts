/** A byte as it stands in a URL (RFC 3986, 2.1). */
export function percentEncoded(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
