/** Whether an option can be followed: a program may give what no type keeps out, as NaN, or what JavaScript lets through. */
import { XferError } from './errors.js';

/** What an option may be. */
export interface Kind {
  readonly allows: (value: unknown) => boolean;
  /** The same in words. */
  readonly may: string;
}

/** What some options of an interface may be, by their names. */
export type Kinds<Options> = { readonly [Name in keyof Options]?: Kind };

const isCount = (value: unknown, least: number): boolean => Number.isInteger(value) && Number(value) >= least;
const isEndless = (value: unknown): boolean => value === Number.POSITIVE_INFINITY;

export const COUNT: Kind = { allows: (value) => isCount(value, 1), may: 'a whole number above 0' };

export const COUNT_OR_ENDLESS: Kind = {
  allows: (value) => isCount(value, 1) || isEndless(value),
  may: 'a whole number above 0, or Infinity',
};

export const COUNT_OR_NONE: Kind = {
  allows: (value) => isCount(value, 0) || isEndless(value),
  may: 'a whole number of at least 0, or Infinity',
};

export const AMOUNT: Kind = { allows: (value) => Number.isFinite(value) && Number(value) > 0, may: 'a number above 0' };

/** A time that may be endless. */
export const TIME: Kind = { allows: (value) => typeof value === 'number' && value > 0, may: 'a number above 0' };

export const DELAY: Kind = {
  allows: (value) => typeof value === 'number' && value >= 0,
  may: 'a number of at least 0',
};

export const PORT: Kind = {
  allows: (value) => isCount(value, 1) && Number(value) <= 65535,
  may: 'a whole number from 1 to 65535',
};

export const TEXT: Kind = {
  allows: (value) => typeof value === 'string' && value !== '',
  may: 'a text that is not empty',
};

/** A text alone, whose letters would be taken for a list, is none. */
export const TEXTS: Kind = {
  allows: (value) => Array.isArray(value) && value.every((each) => typeof each === 'string'),
  may: 'a list of texts',
};

export const oneOf = (...values: readonly (string | number)[]): Kind => ({
  allows: (value) => values.some((each) => each === value),
  may: `one of ${values.join(', ')}`,
});

/**
 * USAGE for the first option that is there and cannot be followed, with what it may be: `what` starts the message, as in
 * `copy`, and `inside` is the option in which these are. A text is not shown, as it may be a secret.
 */
export function checkKinds<Options extends object>(
  what: string,
  options: Options | undefined,
  kinds: Kinds<Options>,
  inside?: string,
): void {
  if (options === undefined) return;
  for (const [name, kind] of Object.entries<Kind | undefined>(kinds)) {
    const value: unknown = options[name as keyof Options];
    if (value === undefined || !kind || kind.allows(value)) continue;
    const path = inside === undefined ? name : `${inside}.${name}`;
    throw new XferError('USAGE', `${what}: the option ${path} is ${shown(value)}, and may be ${kind.may}`);
  }
}

function shown(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text';
  return typeof value === 'function' ? 'a function' : 'an object';
}
