/** The forms in which a listing can be sent, and which one a request asks for. */
import type { IncomingMessage } from 'node:http';
import type { Entry, EntryKind } from '../../../../transport.js';
import { hasKey } from '../target.js';
import type { UploadOptions } from '../upload/options.js';
import type { Sort } from './order.js';

export type ShapeName = 'html' | 'json' | 'plain';

/** The directory that is listed. */
export interface Listed {
  /** Below the root. */
  readonly path: string;
  readonly sort: Sort;
  /** It can be asked for as an archive. */
  readonly archived: boolean;
  /** So many downloads may be made and no more. */
  readonly counted: boolean;
  /** Something can be put there. */
  readonly upload?: UploadOptions | undefined;
}

/** What is shown of an entry. */
export interface Item {
  readonly name: string;
  readonly kind: EntryKind;
  /** In bytes, of a file whose length is known. */
  readonly size: number | undefined;
  readonly mtimeMs: number | undefined;
}

/** The item of an entry, or of what it leads to, by the name that it is listed under. */
export function itemOf({ kind, size, mtimeMs }: Entry, name: string): Item {
  return { name, kind, size: kind === 'file' ? size : undefined, mtimeMs };
}

/** What a directory holds, counted. */
export interface Totals {
  readonly folders: number;
  readonly files: number;
  readonly bytes: number;
}

/** One form of a listing, in the pieces that are sent one after the other. */
export interface Shape {
  readonly contentType: string;
  /** Sent while the directory is still being read. */
  start(listed: Listed): string;
  /** `totals`: the entries that follow are all there are, and in order. */
  beforeRows(listed: Listed, totals: Totals | undefined): string;
  /** `index` counts from 0. */
  row(item: Item, index: number): string;
  /** `told`: `beforeRows` had the totals. */
  end(totals: Totals, told: boolean): string;
}

const TYPES: readonly (readonly [ShapeName, string])[] = [
  ['html', 'text/html'],
  ['json', 'application/json'],
  ['plain', 'text/plain'],
];

/** By `?json` or `?plain`; else the one that Accept names and likes best, HTML before the others. */
export function askedShape(request: IncomingMessage, query: string): ShapeName {
  if (hasKey(query, 'json')) return 'json';
  if (hasKey(query, 'plain')) return 'plain';
  const accept = request.headers.accept ?? '';
  let best: ShapeName = 'html';
  let weight = 0;
  for (const [name, type] of TYPES) {
    const quality = accept.includes(type) ? (qualityOf(accept, type) ?? 0) : 0;
    if (quality <= weight) continue;
    best = name;
    weight = quality;
  }
  return best;
}

/** The weight that an Accept field gives to exactly this type (RFC 9110, 12.5.1), or undefined. */
function qualityOf(accept: string, type: string): number | undefined {
  for (const range of accept.split(',', 64)) {
    const [name, ...parameters] = range.split(';', 8).map((part) => part.trim().toLowerCase());
    if (name !== type) continue;
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    return Number.isNaN(weight) ? 1 : weight;
  }
  return undefined;
}
