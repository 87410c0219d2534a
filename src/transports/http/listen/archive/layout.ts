/** An archive as a row of parts, whose lengths are known before any file was read. */

/** Bytes made of what the manifest says, the bytes of a file, or bytes that tell a file's CRC-32. */
export type Part = { readonly start: number; readonly length: number } & (
  | { readonly kind: 'made'; readonly make: () => Buffer }
  | { readonly kind: 'file'; readonly row: number }
  | { readonly kind: 'crc'; readonly row: number; readonly make: (crc: number) => Buffer }
);

export interface Layout {
  /** Of the whole archive, in bytes. */
  readonly size: number;
  /** Every part that reaches beyond byte `from`, in order. */
  parts(from: number): Iterable<Part>;
}
