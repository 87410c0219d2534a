/** One thing in a listing, before anybody looked at it. */
export interface Listed {
  /** Where it is; a directory's path ends with `/`. */
  readonly url: URL;
  /** Its name, byte for byte as `names.ts` keeps them; one part of a path. */
  readonly name: string;
  readonly kind: 'file' | 'directory';
  /** Exact bytes, where the listing states them. */
  readonly size?: number;
  readonly mtimeMs?: number;
}

/** What a listing refers to: the reference as it stands there, and what is said of it. */
export interface Reference {
  readonly href: string;
  readonly directory?: boolean;
  readonly size?: number;
  readonly mtimeMs?: number;
}
