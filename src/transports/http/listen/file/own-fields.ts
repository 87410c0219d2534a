/** Fields that the person who serves says of a file, in place of ours. */
import { parseHttpDate, type Validators } from './conditional.js';
import { contentTypeOf } from './content-type.js';

/** By name in lower case; null takes a field away. */
export type OwnFields = ReadonlyMap<string, string | null>;

/** `Content-Type`, unless it was taken away, and what else describes the bytes. */
export type ContentFields = Record<string, string> & { readonly 'Content-Type'?: string };

export const NO_FIELDS: OwnFields = new Map();

/** What describes the bytes of the file, and so belongs to none but the answers that hold some of them. */
const OF_CONTENT = /^content-(?:type|encoding|language|disposition|location)$/;

/** `fields` of every answer about the file, with the own ones in them. */
export function withOwnFields(fields: Readonly<Record<string, string>>, own: OwnFields): Record<string, string> {
  return own.size === 0 ? { ...fields } : merged(fields, own, (name) => !OF_CONTENT.test(name));
}

/** What describes the bytes: the Content-Type by the file's name, unless the own fields say otherwise. */
export function contentFields(name: string, own: OwnFields): ContentFields {
  const fields = { 'Content-Type': contentTypeOf(name) };
  if (own.size === 0) return fields;
  const { 'content-type': type, ...rest } = merged(fields, own, (field) => OF_CONTENT.test(field));
  return type === undefined ? rest : { ...rest, 'Content-Type': type };
}

function merged(
  fields: Readonly<Record<string, string>>,
  own: OwnFields,
  belongs: (name: string) => boolean,
): Record<string, string> {
  const left = Object.entries(fields).filter(([name]) => !own.has(name.toLowerCase()));
  const said = [...own].filter((field): field is [string, string] => belongs(field[0]) && field[1] !== null);
  return Object.fromEntries([...left, ...said]);
}

/** The validators of a file, so that what is compared with a request is what was sent before. */
export function ownValidators(validators: Validators, own: OwnFields): Validators {
  const [tag, time] = [own.get('etag'), own.get('last-modified')];
  if (tag === undefined && time === undefined) return validators;
  const etag = tag === undefined ? validators.etag : (tag ?? undefined);
  const lastModifiedMs = time === undefined ? validators.lastModifiedMs : parseHttpDate(time ?? undefined);
  return {
    strong: typeof tag === 'string' ? !tag.startsWith('W/') : validators.strong,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModifiedMs === undefined ? {} : { lastModifiedMs }),
  };
}
